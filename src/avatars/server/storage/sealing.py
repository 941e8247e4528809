"""Files encrypted and authenticated in chunks, so that they are written as a stream and read at any position.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, *Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance*, CRYPTO 2015) as the age file format has it, with AES-256-GCM for its cipher, which
processors have instructions for:

* a file has a key of its own, HKDF-SHA256 of the key of the key file, 32 random bytes, and the file's name: no nonce is
  ever used twice with a key, and a file in another's place does not decrypt;
* chunk i of 64 KiB has the nonce i (11 bytes, big endian) and a last byte that is 1 for the last chunk and 0 for the
  others: chunks cannot be left out, repeated, reordered or cut off unseen.

The header is the magic, the id of the key and the random bytes. Changing it changes the file's key, so it needs no tag.
"""

from __future__ import annotations

import io
import os
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from avatars.server.storage.faults import DamagedFile, UnusableKey
from avatars.server.storage.keys import ID_BYTES, KEY_BYTES, Keyring

MAGIC = b"AVATARS1"
CHUNK = 64 * 1024
"""Bytes of a file that are encrypted together."""

_TAG = 16
_SEALED = CHUNK + _TAG
_SALT_BYTES = 32
_HEADER = len(MAGIC) + ID_BYTES + _SALT_BYTES
# Sealed bytes that are read at once: a large read holds so much beside what it gives.
_AT_ONCE = 64 * _SEALED


class SealingWriter(io.RawIOBase):
    """Encrypts what is written, on its way into an open file. Only `finish` makes it complete: closing does not."""

    def __init__(self, target: IO[bytes], keyring: Keyring, name: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._target = target
        self._cipher = _cipher(keyring.keys[keyring.first], salt, name)
        self._pending = bytearray()
        self._chunks = 0
        self._position = 0
        target.write(MAGIC + keyring.first + salt)

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    def write(self, data: Any) -> int:
        """Encrypt and pass on all but what may be the last chunk."""
        view = memoryview(data).cast("B")
        self._position += len(view)
        taken = 0
        # A chunk goes out when there is more: only then it is not the last one.
        while len(self._pending) + len(view) - taken > CHUNK:
            if self._pending:
                room = CHUNK - len(self._pending)
                self._pending += view[taken : taken + room]
                self._seal(bytes(self._pending), is_last=False)
                self._pending.clear()
                taken += room
            else:
                self._seal(view[taken : taken + CHUNK], is_last=False)
                taken += CHUNK
        self._pending += view[taken:]
        return len(view)

    def finish(self) -> None:
        """Write the last chunk, which says that it is the last."""
        self._seal(bytes(self._pending), is_last=True)
        self._pending.clear()

    def _seal(self, chunk: bytes | memoryview, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._chunks, is_last=is_last), chunk, None))
        self._chunks += 1


class SealedReader(io.RawIOBase):
    """The decrypted content of an open file, at any position. One thread at a time.

    Memory: a chunk, and 4 MiB during a large read.

    Raises
    ------
    UnusableKey
        The file is not encrypted, or with a key that the keyring has not.
    DamagedFile
        It is not what was written under this name; also from each read.
    """

    def __init__(self, source: Any, keyring: Keyring, name: str) -> None:
        self._source = source
        header = bytes(source.read(_HEADER))
        if not is_sealed(header):
            raise UnusableKey("A file of the storage is not encrypted: stop the platform, then avatars storage rotate.")
        id, salt = header[len(MAGIC) : len(MAGIC) + ID_BYTES], header[len(MAGIC) + ID_BYTES :]
        if len(salt) != _SALT_BYTES:
            raise _damaged()
        if id not in keyring.keys:
            raise UnusableKey(
                f"A file of the storage is encrypted with the key {id.hex()}, which is not in the key file: "
                "put that key back into it."
            )
        self.key_id = id
        self._cipher = _cipher(keyring.keys[id], salt, name)
        body = int(source.size()) - _HEADER
        self._chunks = -(-body // _SEALED)
        self._size = body - self._chunks * _TAG
        self._position = 0
        self._held: tuple[int | None, bytes] = (None, b"")
        # The last chunk knows that it is: a file that was cut off is refused here and not when somebody gets so far.
        self._chunk(self._chunks - 1)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def size(self) -> int:
        """Return the length of the content."""
        return self._size

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readall(self) -> bytes:
        """Return what is left."""
        return self.read(-1)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, fewer only at the end."""
        left = max(0, self._size - self._position)
        content = bytearray(left if size is None or size < 0 else min(size, left))
        self.readinto(content)
        return bytes(content)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes, and return how many there were."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._position))
        done = 0
        while done < wanted:
            number, start = divmod(self._position, CHUNK)
            if start == 0 and wanted - done >= CHUNK:
                many = min((wanted - done) // CHUNK, _AT_ONCE // _SEALED)
                count = self._chunks_into(view[done : done + many * CHUNK], number, many)
            else:
                piece = self._chunk(number)[start : start + wanted - done]
                count = len(piece)
                view[done : done + count] = piece
            done += count
            self._position += count
        return done

    def close(self) -> None:
        """Close the file beneath."""
        self._source.close()
        super().close()

    def _chunks_into(self, view: memoryview, first: int, many: int) -> int:
        """Decrypt whole chunks in a row."""
        sealed = memoryview(self._sealed(first, many))
        done = 0
        for number in range(many):
            content = self._open(sealed[number * _SEALED : (number + 1) * _SEALED], first + number)
            view[done : done + len(content)] = content
            done += len(content)
        return done

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._held = (number, self._open(self._sealed(number, 1), number))
        return self._held[1]

    def _sealed(self, first: int, many: int) -> bytes:
        if first < 0:
            raise _damaged()
        self._source.seek(_HEADER + first * _SEALED)
        return bytes(self._source.read(many * _SEALED))

    def _open(self, sealed: bytes | memoryview, number: int) -> bytes:
        is_last = number == self._chunks - 1
        try:
            content = self._cipher.decrypt(_nonce(number, is_last=is_last), sealed, None)
        except (InvalidTag, ValueError):
            raise _damaged() from None
        if len(content) != CHUNK and not is_last:
            raise _damaged()
        return content


def is_sealed(start: bytes) -> bool:
    """Whether a file that begins so is encrypted."""
    return start.startswith(MAGIC)


def _cipher(key: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, b"open-avatars file\0" + name.encode()).derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _damaged() -> DamagedFile:
    return DamagedFile("A file of the storage is damaged, or is not what the platform wrote: restore it from a backup.")
