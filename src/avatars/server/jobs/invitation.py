"""What a platform tells machines that want to work for it, and how one of these finds out whether it can."""

from __future__ import annotations

import os
import pickle
import platform
from importlib.metadata import version
from typing import TypedDict
from uuid import uuid4

from avatars.server.storage import Storage

TOPIC = "avatars"
"""Under which it is among the scheduler's metadata."""

_FOLDER = "cluster"

_DECISIVE = ("open-avatars", "distributed", "numpy", "scipy", "numba", "pyarrow")
"""What has to be the same everywhere: the last four also decide the last bits of a result."""


class CannotJoin(Exception):
    """The machine cannot work for the platform; the text is one sentence for the person who runs it."""


class Invitation(TypedDict):
    """What is said; it reaches only those who have a certificate of the cluster, and could run code anyway."""

    versions: dict[str, str]
    storage: bytes
    """Pickled, as tasks have it."""
    probe: str
    """Key of a file in it."""
    content: bytes
    """Of that file."""


def versions() -> dict[str, str]:
    """Give the versions on this machine that have to be the platform's."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {**{name: version(name) for name in _DECISIVE}, "Python": python}


def invite(storage: Storage) -> Invitation:
    """Lay a file into the storage and say what is in it; the files of earlier invitations go."""
    storage.delete(_FOLDER)
    probe, content = f"{_FOLDER}/{uuid4()}", os.urandom(32)
    storage.write_bytes(probe, content)
    return Invitation(versions=versions(), storage=pickle.dumps(storage), probe=probe, content=content)


def accept(invitation: Invitation) -> None:
    """Make sure that this machine is like the platform's and sees the same storage; raises `CannotJoin`."""
    here = versions()
    for name, there in invitation["versions"].items():
        if here.get(name) != there:
            raise CannotJoin(
                f"The platform has {name} {there} and this machine {here.get(name, 'none')}: install the same versions."
            )
    storage = _storage_of(invitation)
    probe = f"{_FOLDER}/{uuid4()}"
    try:
        storage.write_bytes(probe, b"")
        storage.delete(probe)
    except OSError as error:
        raise CannotJoin(
            f"This machine may read the platform's storage {storage.location} and not write to it "
            f"({error.strerror or type(error).__name__}): run the worker as the platform's user."
        ) from error


def objection(invitation: Invitation) -> str | None:
    """Say why this machine cannot work for the platform, if it cannot."""
    try:
        accept(invitation)
    except CannotJoin as refusal:
        return str(refusal)
    return None


def _storage_of(invitation: Invitation) -> Storage:
    storage: Storage | None = None
    try:
        # From those whom this machine is about to take orders from, over a connection that has shown a certificate.
        storage = pickle.loads(invitation["storage"])  # noqa: S301
        assert storage is not None
        if storage.read_bytes(invitation["probe"]) == invitation["content"]:
            return storage
    except OSError:
        pass
    where = "" if storage is None else f" {storage.location}"
    raise CannotJoin(
        f"This machine does not see the platform's storage{where}: a folder must be mounted here under the same path, "
        "a bucket be reachable with this machine's credentials."
    )
