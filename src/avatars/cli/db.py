"""``avatars db``: the database's tables."""

from __future__ import annotations

import typer

from avatars.cli.common import DatabaseUrl, DataDir
from avatars.cli.operating import platform

db_app = typer.Typer(help="Look after the database of a platform.", no_args_is_help=True)


@db_app.callback()
def _db() -> None:
    pass


@db_app.command("upgrade")
def upgrade(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the tables to this version of the platform; `serve` does so by itself when it starts."""
    with platform(data_dir, database_url):
        typer.echo("The database has the tables of this version.")
