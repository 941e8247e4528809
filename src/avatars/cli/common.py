"""What the commands share: their options, and how they fail."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from avatars._extras import missing_extra

if TYPE_CHECKING:
    from avatars.engine.columns import Kind
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
ColumnTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help="COLUMN=int|float|bool|category|datetime overrides detection; repeatable.",
        show_default=False,
    ),
]
ToCategoricalThreshold = Annotated[
    int | None,
    typer.Option(help="Numbers with at most this many distinct values are categories.", show_default=False),
]
Encoding = Annotated[str | None, typer.Option(help="Of a CSV that is not UTF-8.", show_default=False)]
Report = Annotated[
    Path | None, typer.Option(help="Write a report too: .html, .pdf or .json. It can be shared.", show_default=False)
]
ReportLanguage = Annotated[str, typer.Option("--language", help="Of the report: en or fr.")]


def fail(message: str) -> NoReturn:
    """End the command with one sentence on stderr and the exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def note(message: Warning | str, *_: object, **__: object) -> None:
    """Say something by the way, on stderr; can stand for ``warnings.showwarning``."""
    typer.echo(f"Note: {message}", err=True)


@contextmanager
def engine_extra() -> Iterator[None]:
    """Imports of the engine's parts; says which extra is missing where they are not installed."""
    with _extra("engine"):
        yield


@contextmanager
def server_extra() -> Iterator[None]:
    """Imports of the platform's parts; says which extra is missing where they are not installed."""
    with _extra("server"):
        yield


@contextmanager
def _extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "avatars":
            raise
        fail(missing_extra(name))


@contextmanager
def plain_endings(data: Path) -> Iterator[None]:
    """Work on the file ``data``: warnings become notes, and what the engine or the system refuses one sentence."""
    from avatars.engine.errors import EngineError

    warnings.showwarning = note
    try:
        yield
    except EngineError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or data}: {error.strerror or 'it cannot be read or written'}.")


def check_report(report: Path | None, *others: Path) -> None:
    """Refuse a report that could not be written, or would overwrite one of the other files."""
    if report is None:
        return
    if not report.resolve().parent.is_dir():
        fail(f"The folder of {report} does not exist: make it first, or give --report another name.")
    if report.resolve() in [other.resolve() for other in others]:
        fail(f"The report would overwrite {report}: give --report another name.")


def pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    """Split the COLUMN=VALUE that a repeatable option was given; a column's name may have = in it, a value not."""
    found = []
    for text in given or []:
        name, separator, value = text.rpartition("=")
        if not (separator and name and value):
            fail(f"{option} takes COLUMN=VALUE, for example {option} age=2.")
        found.append((name, value))
    return found


def declared_types(given: list[str] | None) -> dict[str, Kind]:
    """Return the kinds that ``--type`` declares, by column; raises ``InvalidParameter`` for a kind there is not."""
    from avatars.engine.columns import Kind
    from avatars.engine.parameters import one_of

    kinds = dict(pairs("--type", given))
    for kind in kinds.values():
        one_of("type of a column", kind, [known.value for known in Kind])
    return {name: Kind(kind) for name, kind in kinds.items()}


def load_settings(**options: Any) -> Settings:
    """The settings from the environment, under the options that were given, with their data folder made."""
    settings = read_settings(**options)
    _prepare_data_dir(settings.data_dir)
    return settings


def read_settings(**options: Any) -> Settings:
    """The settings from the environment, under the options that were given."""
    with server_extra():
        from pydantic import ValidationError

        from avatars.models.wording import plain_words
        from avatars.server.settings import Settings
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = plain_words(error.errors(include_input=False)[0])
        name = f"AVATARS_{first['loc'][0]}".upper() if first["loc"] else "AVATARS_*"
        fail(f"The setting {name} is not right: {first['msg']}.")


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
