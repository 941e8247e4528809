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
    from pyarrow import ChunkedArray

    from avatars.engine.columns import Column

_FEW_ROWS = 20
"""In a table of at most so many rows, values that differ in each of them say nothing yet."""
_HEAD = 10_000
"""Rows that are looked at before all are."""


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
    for column in columns if table.num_rows > _FEW_ROWS else ():
        if (what := _differs_in_every_row(column, table[column.name])) is not None:
            note(f"column {column.name!r} has a different {what} in every row: remove it if it tells who somebody is.")


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


def _differs_in_every_row(column: Column, values: ChunkedArray) -> str | None:
    """Say what kind of value does; None where one is there twice, or is missing, or is a measurement."""
    from avatars.engine.columns import Kind
    from avatars.engine.plain import distinct, is_text

    if column.levels is not None:
        return "text" if is_text(column.levels.type) and len(column.levels) == len(values) else None
    if column.kind is not Kind.INT or column.missing or len(distinct(values.slice(0, _HEAD))) < min(_HEAD, len(values)):
        return None
    return "whole number" if len(distinct(values)) == len(values) else None
