"""Metrics that compare cells, against their definitions written out row by row."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.tables import mixed_table
from tests.unit.evaluation.pairs import cells_of, encoded, numbers_of, pairs

from avatars.evaluation.privacy.categorical import categorical_hidden_rate
from avatars.evaluation.privacy.direct import column_direct_match, row_direct_match
from avatars.evaluation.privacy.known import correlation_protection_rate
from avatars.evaluation.rows import label_rows

NAMES = ["x", "y", "c", "d"]


@settings(max_examples=60, deadline=None)
@given(pairs(), st.sets(st.sampled_from(NAMES), min_size=1))
def test_labels_agree_where_rows_do(pair: tuple[pa.Table, pa.Table], names: set[str]) -> None:
    chosen = sorted(names)
    rows = [row for table in pair for row in cells_of(table.select(chosen))]
    labels = np.concatenate(label_rows(encoded(*pair), chosen))
    assert [[a == b for b in labels] for a in labels] == [[a == b for b in rows] for a in rows]


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_direct_matches_equal_their_definitions(pair: tuple[pa.Table, pa.Table]) -> None:
    original, avatars = encoded(*pair)
    n = pair[0].num_rows
    for (name,), protection in column_direct_match(original, avatars).items():
        here, there = (cells_of(table.select([name])) for table in pair)
        same = sum(a == b for a, b in zip(here, there, strict=True)) / n
        assert protection == pytest.approx(100 * (1 - same * len(set(here)) / n))
    rows, others = (cells_of(table) for table in pair)
    assert row_direct_match(original, avatars) == pytest.approx(100 - 100 * sum(row in others for row in rows) / n)


@settings(max_examples=60, deadline=None)
@given(pairs(), st.sampled_from([["c"], ["d"], ["c", "d"]]))
def test_the_categorical_hidden_rate_equals_its_definition(pair: tuple[pa.Table, pa.Table], names: list[str]) -> None:
    original, avatars = encoded(*pair)
    here, there = (cells_of(table.select(names)) for table in pair)
    alike = Counter(there)
    success = [1 / alike[a] if a == b else 0 for a, b in zip(here, there, strict=True)]
    assert categorical_hidden_rate(original, avatars, names) == pytest.approx(100 * (1 - np.mean(success)))


def fits(record: tuple[object, ...], avatar: tuple[object, ...], reach: list[float]) -> bool:
    for a, b, limit in zip(record, avatar, reach, strict=True):
        if isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > limit:
                return False
        elif a != b:
            return False
    return True


def protection_by_definition(original: pa.Table, avatars: pa.Table, names: list[str]) -> float:
    # A little more than 5 %, as a difference of just that much fits.
    reach = [
        0.05 * (1 + 1e-9) * float(np.nan_to_num(np.nanstd(numbers_of(original, name))))
        if pa.types.is_floating(original[name].type) and original[name].null_count < original.num_rows
        else 0.0
        for name in names
    ]
    here, there = (cells_of(table.select(names)) for table in (original, avatars))
    linked = 0
    for i, record in enumerate(here):
        fitting = [j for j, avatar in enumerate(there) if fits(record, avatar, reach)]
        linked += here.count(record) == 1 and fitting == [i]
    return 100 - 100 * linked / len(here)


@settings(max_examples=80, deadline=None)
@given(pairs(), st.sets(st.sampled_from(NAMES), min_size=1))
def test_the_correlation_protection_rate_equals_its_definition(
    pair: tuple[pa.Table, pa.Table], names: set[str]
) -> None:
    chosen = sorted(names)
    original, avatars = encoded(*pair)
    measured = correlation_protection_rate(original, avatars, chosen)
    assert measured == pytest.approx(protection_by_definition(*pair, chosen))


def test_the_same_of_many_rows_that_are_near_each_other() -> None:
    random = np.random.default_rng(2)
    original = mixed_table(400, missing=0.05)
    # Moved by about as much as the tolerance, so that own avatars and others fit and do not.
    moved = {
        "height": pa.array(numbers_of(original, "height") + random.normal(0, 0.5, 400), from_pandas=True),
        "weight": pa.array(numbers_of(original, "weight") + random.normal(0, 0.5, 400), from_pandas=True),
    }
    avatars = original
    for name, values in moved.items():
        avatars = avatars.set_column(avatars.column_names.index(name), name, values)
    here, there = encoded(original, avatars)
    for names in (["height"], ["height", "ward"], ["height", "weight"], ["height", "weight", "sex", "ward"]):
        expected = protection_by_definition(original, avatars, names)
        measured = correlation_protection_rate(here, there, names)
        assert measured == pytest.approx(expected)
    assert expected < 95


def test_copies_protect_nobody() -> None:
    table = mixed_table(300)
    original, avatars = encoded(table, table)
    assert row_direct_match(original, avatars) == 0
    # Two people may be nearly the same.
    assert correlation_protection_rate(original, avatars, table.column_names) < 1
    assert min(column_direct_match(original, avatars).values()) < 20


def test_a_column_that_all_share_tells_nothing_and_a_row_that_moved_is_nobodys() -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "c": ["a"] * 4})
    other = table.set_column(0, "x", pa.array([1.5, 2.5, 3.5, 4.5]))
    original, avatars = encoded(table, other)
    assert column_direct_match(original, avatars) == {("x",): 100.0, ("c",): 75.0}
    assert row_direct_match(original, avatars) == 100
    assert categorical_hidden_rate(original, avatars, ["c"]) == pytest.approx(75)
