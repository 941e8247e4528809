"""``avatars user``: accounts."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from avatars.cli.common import DatabaseUrl, DataDir, fail, load_settings, server_extra

user_app = typer.Typer(help="Manage the accounts of a platform.", no_args_is_help=True)


class RoleOption(StrEnum):
    """What a user may do."""

    user = "user"
    admin = "admin"


@user_app.callback()
def _user() -> None:
    pass


@user_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Name to log in with.", show_default=False)],
    role: Annotated[RoleOption, typer.Option(help="An admin also manages accounts.")] = RoleOption.user,
    email: Annotated[str | None, typer.Option(help="E-mail address.", show_default=False)] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make an account; asks for its password twice."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    with server_extra():
        from avatars.server.accounts import service
        from avatars.server.accounts.models import Role
        from avatars.server.db import Database, DatabaseError
        from avatars.server.logging import configure_logging
        from avatars.server.security import WeakPassword, check_password_rules

    configure_logging("WARNING")
    # What is made here (the embedded database, if it is the first use) is for this user's eyes only.
    os.umask(0o077)
    try:
        database = Database(settings.database_url)
        # The first user may be made before the first start of the platform.
        database.upgrade()
        service.check_new_names(database, name, email)
        password = _password_from_stdin() if password_stdin else _ask_for_password()
        check_password_rules(password)
        service.create_user(database, name, password, role=Role(role.value), email=email)
        database.dispose()
    except (DatabaseError, service.AccountError, WeakPassword) as error:
        fail(str(error))
    typer.echo(f"The {role.value} {name} can log in now.")


def _ask_for_password() -> str:
    if not sys.stdin.isatty():
        fail("There is no terminal to ask for the password on: use --password-stdin.")
    password: str = typer.prompt("Password", hide_input=True)
    if typer.prompt("The same password again", hide_input=True) != password:
        fail("The two passwords are not the same: run the command again.")
    return password


def _password_from_stdin() -> str:
    try:
        line = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        fail("The password on stdin is not UTF-8 text.")
    return line.rstrip("\r\n")
