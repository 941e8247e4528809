"""``python -m avatars`` and the ``avatars`` command."""

from __future__ import annotations

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
    app()


if __name__ == "__main__":
    main()
