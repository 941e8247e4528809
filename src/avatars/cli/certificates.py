"""``avatars certificates``: what the machines of a cluster know each other by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.common import fail, server_extra


def certificates(
    folder: Annotated[Path, typer.Argument(help="Where they are written.", show_default=False)],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long they are good.")] = 730,
) -> None:
    """Make the certificates of a new cluster: one identity that the platform and all its workers share.

    Whoever has it can run code on all of these machines, and read every table: carry it by hand.
    """
    with server_extra():
        from avatars.server.certificates import make
    folder = folder.expanduser().absolute()
    try:
        files = make(folder, days)
    except FileExistsError:
        fail(f"There are certificates in {folder} already: a new cluster needs another folder.")
    except OSError as error:
        fail(f"The folder {folder} cannot be written to ({(error.strerror or 'not possible').lower()}).")
    typer.echo(
        f"""AVATARS_CLUSTER_CA_FILE={files.ca}
AVATARS_CLUSTER_CERTIFICATE_FILE={files.certificate}
AVATARS_CLUSTER_KEY_FILE={files.key}"""
    )
    typer.echo(
        f"Good for {days} days. Copy the folder to every machine of the cluster, set these three there, "
        "and let nobody else have the key.",
        err=True,
    )
