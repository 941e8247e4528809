"""What the operators' commands share: the platform's database, brought up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from avatars.cli.common import fail, load_settings, server_extra

if TYPE_CHECKING:
    from avatars.server.accounts.models import User
    from avatars.server.db import Database
    from avatars.server.settings import Settings


@contextmanager
def platform(data_dir: Path | None, database_url: str | None) -> Iterator[tuple[Settings, Database]]:
    """The settings, and the database with this version's tables; what goes wrong with it is one sentence."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    with server_extra():
        from avatars.server.db import Database, DatabaseError
        from avatars.server.logging import configure_logging
        from avatars.server.storage import StorageError

    configure_logging("WARNING")
    # What is made here (the embedded database, if it is the first use) is for this user's eyes only.
    os.umask(0o077)
    try:
        database = Database(settings.database_url)
        # The first user may be made before the first start of the platform.
        database.upgrade()
        yield settings, database
        database.dispose()
    except (DatabaseError, StorageError) as error:
        fail(str(error))


def user_named(database: Database, name: str) -> User:
    """The user of this name; ends the command where there is none."""
    from avatars.server.accounts import service

    user = service.find_by_name(database, name)
    if user is None:
        fail(f"There is no user {name}: see avatars user list.")
    return user
