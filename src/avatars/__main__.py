"""``python -m avatars`` and the ``avatars`` command."""

from __future__ import annotations

import os
import sys

from avatars._extras import missing_extra


def main() -> None:
    """Run the command line; where its parts are not installed, say which extra has them."""
    try:
        from avatars.cli import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "typer":
            raise
        sys.exit(missing_extra("engine"))
    try:
        app()
    except Exception as error:
        if os.environ.get("AVATARS_DEBUG"):
            raise
        # The text of an error that nobody foresaw may quote a cell: it is not shown unasked.
        sys.exit(
            f"Something went wrong inside open-avatars ({type(error).__name__}); your files are as they were. "
            "Set AVATARS_DEBUG=1 to see where, and please report it without showing data."
        )


if __name__ == "__main__":
    main()
