"""``avatars purge``: nothing is kept for longer than it has to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from avatars.cli.common import DatabaseUrl, DataDir, fail
from avatars.cli.operating import platform


def purge(
    older_than_days: Annotated[
        int | None, typer.Option(min=0, help="Delete datasets and jobs that are older than so many days.")
    ] = None,
    audit_older_than_days: Annotated[
        int | None, typer.Option(min=0, help="Delete what the audit holds that is older than so many days.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete what is old of all users, for good; datasets that a job still works on stay.

    The audit has an age of its own: it is usually kept for longer. May run while the platform does, for example every
    night.
    """
    ages = {"datasets and jobs": older_than_days, "events of the audit": audit_older_than_days}
    chosen = [f"{what} that are older than {days} days" for what, days in ages.items() if days is not None]
    if not chosen:
        fail("Say how old: --older-than-days for datasets and jobs, --audit-older-than-days for the audit.")
    with platform(data_dir, database_url) as (settings, database):
        from avatars.server import deletion
        from avatars.server.audit import service as audit
        from avatars.server.db import utc_now
        from avatars.server.storage import Storage

        if not yes:
            typer.confirm(f"Delete all {' and all '.join(chosen)}?", abort=True, err=True)
        now = utc_now()
        if older_than_days is not None:
            before = now - timedelta(days=older_than_days)
            _say(
                deletion.purge(database, Storage(settings.storage_url, settings.encryption_key_file), before), "dataset"
            )
        if audit_older_than_days is not None:
            _say(audit.purge(database, now - timedelta(days=audit_older_than_days)), "event")


def _say(count: int, what: str) -> None:
    typer.echo(f"{count} {what}{'' if count == 1 else 's'} deleted.")
