"""What the platform remembers of a table's columns."""

from __future__ import annotations

from typing import TypedDict


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
