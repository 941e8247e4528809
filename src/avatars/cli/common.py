"""What the commands of the platform share: their options, and how they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from avatars._extras import missing_extra

if TYPE_CHECKING:
    from avatars.server.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder of the platform's data (AVATARS_DATA_DIR).", show_default=False),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (AVATARS_DATABASE_URL). Prefer the "
        "variable for a password: other users of the machine can see a command's options.",
        show_default=False,
    ),
]


def fail(message: str) -> NoReturn:
    """End the command with one sentence on stderr and the exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


@contextmanager
def server_extra() -> Iterator[None]:
    """Imports of the platform's parts; says which extra is missing where they are not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "avatars":
            raise
        fail(missing_extra("server"))


def load_settings(**options: Any) -> Settings:
    """The settings from the environment, under the options that were given, with their data folder made."""
    with server_extra():
        from pydantic import ValidationError

        from avatars.models.wording import plain_words
        from avatars.server.settings import Settings
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = plain_words(error.errors(include_input=False)[0])
        name = f"AVATARS_{first['loc'][0]}".upper() if first["loc"] else "AVATARS_*"
        fail(f"The setting {name} is not right: {first['msg']}.")
    _prepare_data_dir(settings.data_dir)
    return settings


def _prepare_data_dir(folder: Path) -> None:
    try:
        # For the platform's own user only, as is everything in it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or "it is not a folder").lower()
        fail(f"The data folder {folder} cannot be written to ({reason}): choose another one with --data-dir.")
