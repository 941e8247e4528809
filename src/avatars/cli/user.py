"""``avatars user``: accounts."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.common import DatabaseUrl, DataDir, fail
from avatars.cli.operating import platform, user_named

Name = Annotated[str, typer.Argument(help="Name that they log in with.", show_default=False)]

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
    with platform(data_dir, database_url) as (_, database):
        from avatars.server.accounts import service
        from avatars.server.accounts.models import Role
        from avatars.server.security import WeakPassword, check_password_rules

        try:
            service.check_new_names(database, name, email)
            password = _password_from_stdin() if password_stdin else _ask_for_password()
            check_password_rules(password)
            service.create_user(database, name, password, role=Role(role.value), email=email)
        except (service.AccountError, WeakPassword) as error:
            fail(str(error))
    typer.echo(f"The {role.value} {name} can log in now.")


@user_app.command("list")
def list_users(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the accounts: name, role, e-mail address, whether it is disabled."""
    with platform(data_dir, database_url) as (_, database):
        from avatars.server.accounts import service

        for user in service.find_all(database):
            facts = [user.username, user.role, user.email or "-", "active" if user.is_active else "disabled"]
            typer.echo("\t".join(facts))


@user_app.command("disable")
def disable(name: Name, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Keep a user out: ends all of their logins. Their data stay."""
    _set_active(name, False, data_dir, database_url)
    typer.echo(f"{name} cannot log in any more.")


@user_app.command("enable")
def enable(name: Name, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Let a disabled user in again."""
    _set_active(name, True, data_dir, database_url)
    typer.echo(f"{name} can log in again.")


@user_app.command("delete")
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete a user with all of their datasets, jobs and logins, for good."""
    with platform(data_dir, database_url) as (settings, database):
        from avatars.server import deletion
        from avatars.server.storage import Storage

        user = user_named(database, name)
        if not yes:
            typer.confirm(f"Delete {user.username} and everything that is theirs?", abort=True, err=True)
        deletion.delete_user(database, Storage(settings.storage_url, settings.encryption_key_file), user.id)
    typer.echo(f"{name} is deleted, with everything that was theirs.")


@user_app.command("reset-link")
def reset_link(name: Name, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Print what a user needs to set a new password, once and within 24 hours; earlier ones end.

    For platforms that send no mail. Hand it over in a way that nobody else can read.
    """
    with platform(data_dir, database_url) as (settings, database):
        from avatars.server.accounts import passwords
        from avatars.server.audit.models import Action
        from avatars.server.audit.service import record

        user = user_named(database, name)
        if not user.is_active:
            fail(f"{name} is disabled: enable them first, with avatars user enable.")
        with database.write() as session:
            token = passwords.new_token(session, user.id)
            record(session, Action.RESET_LINK_MADE, None, user.id)
    typer.echo(
        f"""from avatars.client import ApiClient

client = ApiClient(base_url="{settings.base_url}")
client.reset_password("{user.username}", "NEW PASSWORD", "NEW PASSWORD", "{token}")"""
    )


def _set_active(name: str, active: bool, data_dir: Path | None, database_url: str | None) -> None:
    with platform(data_dir, database_url) as (_, database):
        from avatars.server.accounts import service

        service.set_active(database, user_named(database, name).id, active)


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
