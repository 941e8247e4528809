"""``avatars doctor``: the examination of a platform's surroundings."""

from __future__ import annotations

import typer

from avatars.cli.common import DatabaseUrl, DataDir, load_settings, server_extra


def doctor(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Check settings, database, storage, mail and workers, and say what is wrong; the exit code is 1 where anything is.

    Changes nothing; may run while the platform does.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    with server_extra():
        from avatars.server.doctor import examine
        from avatars.server.logging import configure_logging

    configure_logging("CRITICAL")
    healthy = True
    for finding in examine(settings):
        healthy = healthy and finding.is_fine
        typer.echo(f"{'ok   ' if finding.is_fine else 'WRONG'}  {finding.part}: {finding.sentence}")
    if not healthy:
        raise typer.Exit(1)
