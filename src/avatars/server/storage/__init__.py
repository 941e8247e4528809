"""Files of the platform: in a folder or a bucket, complete or not there, encrypted where there is a key."""

from avatars.server.storage.faults import DamagedFile, StorageAway, StorageError, StorageFull, UnusableKey
from avatars.server.storage.storage import Storage

__all__ = ["DamagedFile", "Storage", "StorageAway", "StorageError", "StorageFull", "UnusableKey"]
