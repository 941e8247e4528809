"""The ``avatars`` command: one file a command, each thin: parse, call, print.

Nothing heavy is imported before a command runs, so that ``avatars --help`` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from avatars.cli.attack import attack
from avatars.cli.certificates import certificates
from avatars.cli.db import db_app
from avatars.cli.doctor import doctor
from avatars.cli.evaluate import evaluate
from avatars.cli.purge import purge
from avatars.cli.run import run
from avatars.cli.schema import schema
from avatars.cli.serve import serve
from avatars.cli.storage import storage_app
from avatars.cli.user import user_app
from avatars.cli.worker import worker

app = typer.Typer(
    name="avatars",
    help="Turn a sensitive table about people into avatars.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback in a box with the values of variables would show cells.
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"open-avatars {version('open-avatars')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


app.command()(run)
app.command()(evaluate)
app.command()(attack)
app.command()(schema)
app.command()(serve)
app.command()(worker)
app.command()(certificates)
app.command()(doctor)
app.command()(purge)
app.add_typer(user_app, name="user")
app.add_typer(db_app, name="db")
app.add_typer(storage_app, name="storage")
