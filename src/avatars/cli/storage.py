"""``avatars storage``: the keys that the files of a platform are encrypted with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.common import DataDir, fail, load_settings, server_extra
from avatars.cli.serve import take_folder

storage_app = typer.Typer(help="Look after the files of a platform and their keys.", no_args_is_help=True)


@storage_app.callback()
def _storage() -> None:
    pass


@storage_app.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="The key file; made where there is none.", show_default=False)],
) -> None:
    """Make a key and put it before the others of a key file (AVATARS_ENCRYPTION_KEY_FILE).

    New files are encrypted with the first key, and all keys decrypt. Whoever loses the file loses all tables: keep a
    copy of it, away from the copies of the tables.
    """
    with server_extra():
        from avatars.server.storage import UnusableKey
        from avatars.server.storage.keys import add_key
    try:
        name = add_key(file)
    except UnusableKey as error:
        fail(str(error))
    except OSError as error:
        fail(f"The key file {file} cannot be written ({(error.strerror or 'not possible').lower()}).")
    typer.echo(f"The key {name} is the first one of {file}.")


@storage_app.command("rotate")
def rotate(data_dir: DataDir = None) -> None:
    """Encrypt every file with the first key of the key file; also those that are not encrypted yet.

    The platform must not run meanwhile. After an interruption, call it again. Then the other keys can go.
    """
    settings = load_settings(data_dir=data_dir)
    with server_extra():
        from avatars.server.storage import Storage, StorageError
    done = 0
    with take_folder(settings.data_dir):
        try:
            storage = Storage(settings.storage_url, settings.encryption_key_file)
            storage.sweep()
            for was_written in storage.rotate():
                done += was_written
        except StorageError as error:
            fail(str(error))
    typer.echo(f"{done} file{'' if done == 1 else 's'} written anew: all have the first key of the key file.")
