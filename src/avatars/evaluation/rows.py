"""Rows of encoded tables that agree: cell for cell, a missing one with a missing one."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avatars.engine.columns import Encoded
from avatars.engine.tree import Counts

Flags = NDArray[np.bool_]
Cells = NDArray[Any]
"""Numbers with NaN for missing, or codes with -1."""


def cells(table: Encoded, name: str) -> Cells:
    """Return (n,) one column."""
    is_numeric, place = table.places[name]
    return (table.numeric if is_numeric else table.codes)[:, place]


def label_rows(tables: Sequence[Encoded], names: Sequence[str]) -> list[Counts]:
    """Return (n,) labels from 0 on for each table: rows of any of them agree in all columns named if labels do.

    The tables must have been encoded alike. Cost: O(n) time a column and memory, for the rows of all together.
    """
    ends = np.cumsum([len(table.codes) for table in tables])
    labels = np.zeros(ends[-1], dtype=np.int64)
    for name in names:
        labels = refined(labels, np.concatenate([cells(table, name) for table in tables]))
    return np.split(labels, ends[:-1])


def refined(labels: Counts, values: Cells) -> Counts:
    """Return labels that tell rows apart by their labels so far, and by values."""
    codes = pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)
    if not labels.any():
        return codes
    # At most as many of both as there are rows: the product of two such numbers fits.
    return pd.factorize(labels * (int(codes.max()) + 1) + codes)[0].astype(np.int64)


def occur_among(rows: Encoded, others: Encoded) -> Flags:
    """Return (n,) whether each row occurs among the others, in all columns.

    Only rows that still have somebody like them are looked at in the next column. Cost: O(n) time a column.
    """
    here, there = np.arange(len(rows.codes)), np.arange(len(others.codes))
    labels = np.zeros(len(here) + len(there), dtype=np.int64)
    for column in rows.columns:
        values = (cells(rows, column.name)[here], cells(others, column.name)[there])
        labels = refined(labels, np.concatenate(values))
        first, second = labels[: len(here)], labels[len(here) :]
        size = int(labels.max(initial=-1)) + 1
        in_both = (np.bincount(first, minlength=size) > 0) & (np.bincount(second, minlength=size) > 0)
        labels = labels[in_both[labels]]
        here, there = here[in_both[first]], there[in_both[second]]
        if not len(here):
            break
    found = np.zeros(len(rows.codes), dtype=np.bool_)
    found[here] = True
    return found


def overlap(members: Encoded, others: Encoded) -> tuple[int, int] | None:
    """Return how many of the others are among the members, and how many would be by chance; None for no more than so.

    By chance are as many as members have somebody like them among themselves, give or take four standard errors (ours).
    """
    label = label_rows([members], [column.name for column in members.columns])[0]
    expected = float((np.bincount(label)[label] > 1).mean()) * len(others.codes)
    found = int(occur_among(others, members).sum())
    return (found, round(expected)) if found > expected + 4 * sqrt(expected + 1) else None
