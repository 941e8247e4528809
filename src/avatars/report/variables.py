"""One variable: how it is distributed among originals and avatars, told in shares of bins and levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from avatars.engine.columns import Column, Encoded, Kind
from avatars.engine.features import Codes, Floats
from avatars.evaluation.pair import Pair
from avatars.evaluation.rows import cells
from avatars.evaluation.utility.hellinger import hellinger_by_column
from avatars.report.dates import date_edges, moments
from avatars.report.small_counts import (
    FEWEST,
    FEWEST_FOR_MOMENTS,
    Counts,
    is_small,
    largest_first,
    merged,
    round_edges,
    summed,
    whole_edges,
)

MOST_BINS, LEAST_BINS = 20, 4
PEOPLE_PER_BIN = 12
"""Where there are few people there are fewer bins."""
LEVELS = 12
"""Of a category, by themselves; the others go together."""
_LONGEST = 60

Shares = tuple[float, ...]
Both = tuple[float, float]
"""A figure of the originals and of the avatars."""


@dataclass(frozen=True)
class Distribution:
    """Shares, 0 to 1, of the cells that are not missing.

    Attributes
    ----------
    edges
        Of a number's bins, which are one fewer; of a date in seconds since 1970.
    is_open
        Whether the first bin, and the last, hold what is beyond their outer edge too.
    levels
        Of a category.
    has_rest
        Whether the last share is that of all other levels together, which have no name here.
    originals, avatars
        A share for each bin or level.
    """

    edges: Shares
    is_open: tuple[bool, bool]
    levels: tuple[str, ...]
    has_rest: bool
    originals: Shares
    avatars: Shares


@dataclass(frozen=True)
class Variable:
    """One column of the table.

    Attributes
    ----------
    position
        Its place among the columns, from 1 on.
    unit
        Of a duration or a time of day: "s", "min", "h" or "d"; empty for others.
    hellinger
        The distance between the two distributions.
    missing
        Share of missing cells; None where it is of too few people.
    mean, sd
        Of numbers; None for other kinds, and where too few people have one.
    distribution
        None where too few people have a value.
    """

    name: str
    position: int
    kind: str
    unit: str
    hellinger: float
    missing: Both | None
    mean: Both | None
    sd: Both | None
    distribution: Distribution | None


def describe_variables(pair: Pair) -> tuple[Variable, ...]:
    """Return all variables, those whose distribution moved most first. Cost: O(n log n) time a numeric column."""
    original, avatars = pair.original.cells, pair.avatars.cells
    distances = hellinger_by_column(original, avatars)
    found = [
        _describe(column, place, original, avatars, distances[(column.name,)])
        for place, column in enumerate(original.columns, start=1)
    ]
    return tuple(sorted(found, key=lambda variable: (-variable.hellinger, variable.position)))


def _describe(column: Column, position: int, original: Encoded, avatars: Encoded, hellinger: float) -> Variable:
    here, there = cells(original, column.name), cells(avatars, column.name)
    mean = sd = None
    unit = ""
    if column.is_numeric:
        gone = [np.isnan(each) for each in (here, there)]
        if column.kind is Kind.INT and (second := _second(column.type)):
            unit, factor = _unit(np.nanmedian(np.abs(here)) / second if not gone[0].all() else 0.0)
            here, there = ((each + column.origin) / second / factor for each in (here, there))
            column = replace(column, kind=Kind.FLOAT, origin=0)
        x, y = (each[~lost] for each, lost in zip((here, there), gone, strict=True))
        if column.kind is not Kind.DATETIME and min(len(x), len(y)) >= FEWEST_FOR_MOMENTS:
            mean = _rounded(float(x.mean()) + column.origin, float(y.mean()) + column.origin)
            sd = _rounded(float(x.std()), float(y.std()))
        distribution = _numbers(column, x, y)
    else:
        gone = [each < 0 for each in (here, there)]
        distribution = _levels(column, here[~gone[0]], there[~gone[1]])
    lost = np.array([gone[0].sum()])
    missing = None if is_small(lost).any() else (_share(gone[0].mean()), _share(gone[1].mean()))
    return Variable(
        column.name, position, column.kind.value, unit, round(hellinger, 4), missing, mean, sd, distribution
    )


def _second(type_: pa.DataType) -> int:
    """Return how many units of a duration or a time of day are a second; 0 for other types."""
    if not (pa.types.is_duration(type_) or pa.types.is_time(type_)):
        return 0
    return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]


def _unit(usual: float) -> tuple[str, int]:
    """Return the unit, and its seconds, in which so many seconds are a handy number."""
    units = (("d", 86_400), ("h", 3600), ("min", 60))
    return next(((unit, seconds) for unit, seconds in units if usual >= seconds), ("s", 1))


def _numbers(column: Column, x: Floats, y: Floats) -> Distribution | None:
    if len(x) < FEWEST or not len(y):
        return None
    if column.kind is Kind.INT and not column.origin and np.ptp(x) < LEVELS:
        return _few_numbers(x.astype(np.int64), y.astype(np.int64))
    bins = min(MOST_BINS, max(LEAST_BINS, len(x) // PEOPLE_PER_BIN))
    if column.kind is Kind.DATETIME:
        type_ = column.read_type or column.type
        here, there = (moments(each, column.origin, type_) for each in (x, y))
        inner = date_edges(here, bins)
        shown = inner.astype("datetime64[s]").astype(np.float64)
    else:
        here, there = x + column.origin, y + column.origin
        inner = shown = round_edges(here, bins, whole=column.kind is Kind.INT)
    counts = [_count(inner, each) for each in (here, there)]
    starts = merged(counts[:1])
    if starts is None:
        return None
    sums = [summed(each, starts) for each in counts]
    edges = whole_edges(shown, starts)
    # Outer bins that nobody is in are left away.
    used = np.flatnonzero(sums[0] + sums[1])
    first, last = int(used[0]), int(used[-1]) + 1
    is_open = (first == 0, last == len(starts))
    return Distribution(edges[first : last + 1], is_open, (), False, *(_shares(each[first:last]) for each in sums))


def _count(inner: Any, values: Any) -> Counts:
    return np.bincount(np.searchsorted(inner, values, side="right"), minlength=len(inner) + 1)


def _few_numbers(x: Counts, y: Counts) -> Distribution:
    """Return the shares of whole numbers that are so few that each is shown by itself, like a level."""
    first, size = int(x.min()), int(np.ptp(x)) + 1
    inside = (y >= first) & (y < first + size)
    names = [str(first + place) for place in range(size)]
    counts = [np.bincount(each - first, minlength=size) for each in (x, y[inside])]
    return _by_level(names, counts, int((~inside).sum()), in_order=True)


def _levels(column: Column, x: Codes, y: Codes) -> Distribution | None:
    assert column.levels is not None
    if len(x) < FEWEST or not len(y):
        return None
    counts = [np.bincount(each, minlength=len(column.levels)) for each in (x, y)]
    # Numbers and truth values stand in their own order.
    in_order = not pa.types.is_string(column.levels.type) and not pa.types.is_large_string(column.levels.type)
    return _by_level(column.levels, counts, 0, in_order=in_order)


def _by_level(names: Sequence[Any], counts: list[Counts], elsewhere: int, *, in_order: bool) -> Distribution:
    """Return shares by level; ``elsewhere`` are avatars of none of them."""
    shown = largest_first(counts[0], LEVELS)
    rest = [int(each.sum() - each[shown].sum()) for each in counts]
    rest[1] += elsewhere
    shown = sorted(shown) if in_order else shown
    sums = [each[shown] for each in counts]
    if any(rest):
        sums = [np.append(each, more) for each, more in zip(sums, rest, strict=True)]
    levels = tuple(_name(names[level]) for level in shown)
    return Distribution((), (False, False), levels, any(rest), *(_shares(each) for each in sums))


def _name(level: Any) -> str:
    level = level.as_py() if isinstance(level, pa.Scalar) else level
    text = level.decode("utf-8", "replace") if isinstance(level, bytes) else str(level)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _shares(counts: Counts) -> Shares:
    return tuple(_share(share) for share in counts / counts.sum())


def _share(share: float) -> float:
    # A tenth of a percent: finer shares would tell of how many people they are.
    return round(float(share), 3)


def _rounded(*figures: float) -> Both:
    one, other = (float(f"{figure:.4g}") for figure in figures)
    return one, other
