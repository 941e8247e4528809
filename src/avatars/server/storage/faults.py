"""What can be wrong with a storage, told apart by what is to be done.

::

    StorageError (OSError)
    ├── StorageFull     there is no room: somebody has to make some
    ├── StorageAway     it does not answer: the same call may work in a moment
    ├── DamagedFile     a file is not what was written
    └── UnusableKey     the keys are missing, not these files', or no keys

That there is no such file is no fault of the storage's: ``FileNotFoundError``, as everywhere.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# Arrow gives the errors of object stores no number. These are what their services call a quota that is used up.
_FULL_WORDS = ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge")


class StorageError(OSError):
    """Something is wrong with the storage; the text is one sentence for the person who runs the platform."""


class StorageFull(StorageError):
    """There is no room for what is to be written."""


class StorageAway(StorageError):
    """The storage does not answer, or does not let us in."""


class DamagedFile(StorageError):
    """A file is not what was written: damaged, cut, changed, or in another's place."""


class UnusableKey(StorageError):
    """The key file cannot be used, or its keys are not those that the files are encrypted with."""


@contextmanager
def told_apart() -> Iterator[None]:
    """Raise what the system or Arrow says of a file as one of the errors above."""
    try:
        yield
    except (StorageError, FileNotFoundError):
        raise
    except OSError as error:
        raise fault_of(error) from error


def fault_of(error: OSError) -> StorageError:
    """Give the error of this tree that an error of the system or of Arrow stands for."""
    if isinstance(error, StorageError):
        return error
    if error.errno in _FULL or any(word in str(error) for word in _FULL_WORDS):
        return StorageFull("The storage is full: make room for it.")
    return StorageAway(f"The storage cannot be read or written ({_reason(error)}): check that it is there, and open.")


def _reason(error: OSError) -> str:
    # Arrow's text goes on with names of keys; its first words say what was done, the service's own what is wrong.
    text = str(error)
    if "AWS Error " in text:
        return text.partition("AWS Error ")[2].split(" during")[0].lower().replace("_", " ")
    return (error.strerror or type(error).__name__).split(".")[0].lower()
