"""``avatars purge``: nothing is kept for longer than it has to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from avatars.cli.common import DatabaseUrl, DataDir
from avatars.cli.operating import platform


def purge(
    older_than_days: Annotated[int, typer.Option(min=0, help="Delete what is older than so many days.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete old datasets and jobs of all users, for good; those that a job still works on stay.

    May run while the platform does, for example every night.
    """
    with platform(data_dir, database_url) as (settings, database):
        from avatars.server import deletion
        from avatars.server.db import utc_now
        from avatars.server.storage import Storage

        if not yes:
            typer.confirm(
                f"Delete all datasets and jobs that are older than {older_than_days} days?", abort=True, err=True
            )
        before = utc_now() - timedelta(days=older_than_days)
        count = deletion.purge(database, Storage(settings.files_dir), before)
    typer.echo(f"{count} dataset{'' if count == 1 else 's'} deleted.")
