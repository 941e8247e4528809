"""What the engine refuses, and why.

EngineError                 one sentence for the user, a stable code, the column it is about
├── InvalidTable            the table cannot be worked on
└── InvalidParameter        a parameter does not fit the table
Cancelled                   somebody asked the run to stop
AvatarsWarning              something was adjusted, and the run went on
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class EngineError(ValueError):
    """Something the user can put right: ``str(error)`` is one sentence for them, without any cell.

    Attributes
    ----------
    code
        Stable name of the kind of error, in snake_case, for programs.
    column
        Label of the column that the error is about; None when it is about the whole table.
    """

    code: str
    column: str | None

    def __init__(self, message: str, *, code: str, column: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.column = column

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel between worker processes: the default would forget the keyword-only attributes.
        return _rebuild, (type(self), str(self), self.code, self.column)


class InvalidTable(EngineError):
    """The table cannot be worked on."""


class InvalidParameter(EngineError):
    """A parameter's value does not fit the table or the method."""


class Cancelled(Exception):
    """The run stopped because its progress said so; nothing was produced."""


class AvatarsWarning(UserWarning):
    """Something was adjusted, and the run went on."""


def unknown_column(name: object, names: Iterable[str], *, where: str = "") -> InvalidParameter:
    """Make the refusal of a column that the table has not, with the nearest label that it has."""
    near = get_close_matches(str(name), list(names), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "check the spelling against the table's header."
    return InvalidParameter(
        f"{where}{'t' if where else 'T'}he table has no column {name!r}: {hint}",
        code="unknown_column",
        column=str(name),
    )


def _rebuild(kind: type[EngineError], message: str, code: str, column: str | None) -> EngineError:
    return kind(message, code=code, column=column)
