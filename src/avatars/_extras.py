"""What to tell a person whose installation lacks an extra."""

from __future__ import annotations


def missing_extra(extra: str) -> str:
    """One sentence that says how to install ``extra``.

    It names our distribution: the project called "avatars" on the package index is not this one.
    """
    return (
        f'This needs parts that are not installed; install them with: pip install "open-avatars[{extra}]" '
        "(from this project's repository or its wheel)."
    )
