"""What the platform remembers of a table's columns."""

from __future__ import annotations

from typing import TypedDict

from avatars.engine.columns import Kind


class ColumnDescription(TypedDict):
    """One column, without any of its cells; JSON."""

    label: str
    type: str
    """How the column takes part: a ``Kind`` of the engine, which is also the wire's ``ColumnType``."""
    detected: str
    """What the engine makes of it by itself. Where ``type`` differs, the user has said so."""
    why: str
    """Why the type is what it is, in a word or two."""
    missing: int
    """Empty cells."""
    dimensions: int
    """1 for numbers, the number of modalities otherwise."""


def declared_types(columns: list[ColumnDescription]) -> dict[str, Kind]:
    """Give the kinds that the user has changed.

    Clients declare every column of a data frame. Where they say what the engine finds by itself, it is no wish: a
    job's ``to_categorical_threshold`` still applies to that column.
    """
    return {column["label"]: Kind(column["type"]) for column in columns if column["type"] != column["detected"]}
