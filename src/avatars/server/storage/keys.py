"""The keys that files are encrypted with: a text file, a key a line, the newest first."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from avatars.server.storage.faults import UnusableKey

KEY_BYTES = 32
ID_BYTES = 8


@dataclass(frozen=True, repr=False)
class Keyring:
    """Keys by their ids; the first one encrypts, all of them decrypt.

    Attributes
    ----------
    first
        The id of the key that new files are encrypted with.
    """

    first: bytes
    keys: Mapping[bytes, bytes]


def read_keys(path: Path) -> Keyring:
    """Read a key file: base64 of 32 bytes a line; empty lines and those that begin with # do not count.

    Raises
    ------
    UnusableKey
        The file cannot be read, or a line is no key. The text quotes none of it.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise UnusableKey(
            f"The key file {path} cannot be read ({reason.lower()}): check AVATARS_ENCRYPTION_KEY_FILE."
        ) from None
    keys = [_key(path, line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise UnusableKey(f"The key file {path} holds no key: avatars storage new-key makes one.")
    return Keyring(key_id(keys[0]), {key_id(key): key for key in keys})


def add_key(path: Path) -> str:
    """Make a key and put it before those of a key file, which is made if there is none; gives its id in hexadecimal.

    Raises
    ------
    UnusableKey
        The file that is there is no key file.
    OSError
        It cannot be written.
    """
    before = b""
    if path.exists():
        read_keys(path)
        before = path.read_bytes()
    key = secrets.token_bytes(KEY_BYTES)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n" + before)
            file.flush()
            # Losing a key is losing every file that was written with it.
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return key_id(key).hex()


def key_id(key: bytes) -> bytes:
    """Give what a key is called in the files that it encrypts; it tells nothing of the key."""
    return hashlib.sha256(b"open-avatars key id\0" + key).digest()[:ID_BYTES]


def _key(path: Path, line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UnusableKey(
            f"The key file {path} has a line that is no key of {KEY_BYTES} bytes in base64: "
            "avatars storage new-key makes one."
        )
    return key
