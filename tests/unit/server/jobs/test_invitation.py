"""What a machine looks at before it works for a platform."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from avatars.server.jobs.invitation import CannotJoin, Invitation, accept, invite, objection
from avatars.server.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def test_a_machine_like_the_platform_s_is_welcome_and_leaves_nothing_behind(storage: Storage) -> None:
    said = invite(storage)
    accept(said)
    assert objection(said) is None
    assert [f"cluster/{name}" for name in storage.list("cluster")] == [said["probe"]]


def test_a_new_invitation_takes_the_place_of_the_old_one(storage: Storage) -> None:
    first, second = invite(storage), invite(storage)
    accept(second)
    assert objection(first) is not None
    assert len(storage.list("cluster")) == 1


@pytest.mark.parametrize("name", ["open-avatars", "numpy", "Python"])
def test_other_versions_are_refused_by_name(storage: Storage, name: str) -> None:
    said = invite(storage)
    there = Invitation(**{**said, "versions": {**said["versions"], name: "0.0.1"}})
    with pytest.raises(CannotJoin, match=rf"^The platform has {name} 0\.0\.1 and this machine .+: install the same"):
        accept(there)


def test_a_folder_that_is_not_the_platform_s_is_refused(storage: Storage, tmp_path: Path) -> None:
    said = invite(storage)
    elsewhere = Storage(tmp_path / "not mounted")
    there = Invitation(**{**said, "storage": pickle.dumps(elsewhere)})
    with pytest.raises(CannotJoin, match=r"does not see the platform's storage .*not mounted"):
        accept(there)
    # The same name with something else in it.
    elsewhere.write_bytes(said["probe"], b"another file")
    with pytest.raises(CannotJoin, match="does not see the platform's storage"):
        accept(there)


def test_a_folder_that_cannot_be_made_is_refused(storage: Storage, tmp_path: Path) -> None:
    said = invite(storage)
    # Below a file: that stops even root. The storage pickles its location, and is made again there.
    (tmp_path / "file").touch()
    storage.location = str(tmp_path / "file" / "folder")
    blocked = Invitation(**{**said, "storage": pickle.dumps(storage)})
    with pytest.raises(CannotJoin, match="does not see the platform's storage"):
        accept(blocked)
