"""``avatars schema``: what a run would take each column of a table for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatars.cli.common import (
    ColumnTypes,
    Encoding,
    ToCategoricalThreshold,
    declared_types,
    engine_extra,
    note,
    plain_endings,
)

if TYPE_CHECKING:
    from avatars.engine.columns import Column

_FEW_ROWS = 20
"""In a table of at most so many rows, text that differs in each of them says nothing yet."""


def schema(
    data: Annotated[Path, typer.Argument(help="The sensitive table: CSV or Parquet, one row a person.")],
    column_type: ColumnTypes = None,
    to_categorical_threshold: ToCategoricalThreshold = None,
    encoding: Encoding = None,
) -> None:
    """Print what each column of a table would be taken for, and which ones look like identifiers; no cell is shown."""
    with engine_extra():
        from avatars.engine.columns import detect
        from avatars.engine.files import read_table

    with plain_endings(data):
        types = declared_types(column_type)
        table = read_table(data, encoding=encoding).table
        columns = detect(table, types, to_categorical_threshold)
    _print_columns(columns)
    for column in columns:
        if _looks_like_an_identifier(column, table.num_rows):
            note(f"column {column.name!r} has a different text in every row: remove it or it is published as it is.")


def _looks_like_an_identifier(column: Column, rows: int) -> bool:
    from avatars.engine.plain import is_text

    return column.levels is not None and is_text(column.levels.type) and len(column.levels) == rows > _FEW_ROWS


def _print_columns(columns: Sequence[Column]) -> None:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    shown = Table()
    for title in ("column", "type", "why"):
        shown.add_column(title, overflow="fold")
    shown.add_column("missing", justify="right")
    shown.add_column("levels", justify="right")
    for column in columns:
        # A name is somebody else's: as it stands, never as markup, and without control characters.
        name = Text(column.name if column.name.isprintable() else repr(column.name))
        levels = "" if column.levels is None else str(len(column.levels))
        shown.add_row(name, column.kind.value, column.why, str(column.missing), levels)
    console = Console()
    if not console.is_terminal:
        # A file or another program has no width: nothing is wrapped for it.
        endless = console.options.update(width=10_000)
        console.width = max(console.width, Measurement.get(console, endless, shown).maximum)
    console.print(shown)
