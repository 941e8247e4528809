"""Bins, accuracies, associations and ceilings, against their definitions."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association
from tests.unit.engine.tables import mixed_table
from tests.unit.evaluation.pairs import cells_of, encoded, pairs

from avatars.evaluation.utility import accuracy
from avatars.evaluation.utility.accuracy import accuracies, combinations, drawn_note
from avatars.evaluation.utility.association import (
    association_differences,
    associations,
    correlation_ratio,
    cramers_v,
)
from avatars.evaluation.utility.bins import Bins
from avatars.evaluation.utility.ceiling import Ceiling, mean


def test_bins_of_numbers_have_a_tenth_of_the_originals_each() -> None:
    random = np.random.default_rng(0)
    x = random.permutation(1000).astype(float)
    original, other = encoded(pa.table({"x": x}), pa.table({"x": [None, -1e9, 1e9]}))
    bins = Bins.of(original)
    assert np.bincount(bins.bin(original).codes[:, 0]).tolist() == [0] + [100] * 10
    assert bins.bin(other).codes[:, 0].tolist() == [0, 1, 10]


def test_rare_levels_share_the_last_bin_and_unseen_ones_are_rare() -> None:
    levels = [f"level {rank:02}" for rank in range(14) for _ in range(20 - rank)]
    original, other = encoded(
        pa.table({"c": levels}), pa.table({"c": ["level 00", "level 08", "level 13", "new", None]})
    )
    bins = Bins.of(original)
    assert bins.bin(other).codes[:, 0].tolist() == [1, 9, 10, 10, 0]
    assert bins.bin(original).sizes == (11,)


@settings(max_examples=50, deadline=None)
@given(pairs(), st.integers(1, 3))
def test_accuracy_equals_its_definition(pair: tuple[pa.Table, pa.Table], together: int) -> None:
    # So few values that each has its own bin: shares are those of the combinations of cells.
    original, avatars = encoded(*pair)
    bins = Bins.of(original)
    measured = accuracies(bins.bin(original), bins.bin(avatars), combinations(4, together))
    assert set(measured) == set(itertools.combinations(["x", "y", "c", "d"], together))
    binned = [bins.bin(table).codes for table in (original, avatars)]
    for names, value in measured.items():
        columns = [["x", "y", "c", "d"].index(name) for name in names]
        p, q = (Counter(map(tuple, codes[:, columns].tolist())) for codes in binned)
        n = pair[0].num_rows
        assert value == pytest.approx(1 - 0.5 * sum(abs(p[cell] - q[cell]) / n for cell in p | q))


@settings(max_examples=50, deadline=None)
@given(pairs())
def test_each_cell_of_few_values_falls_into_a_bin_of_its_own(pair: tuple[pa.Table, pa.Table]) -> None:
    original, _ = encoded(*pair)
    for name, codes in zip(["x", "y", "c", "d"], Bins.of(original).bin(original).codes.T, strict=True):
        if pa.types.is_string(pair[0][name].type):
            cells = cells_of(pair[0].select([name]))
            assert [[a == b for b in codes] for a in codes] == [[a == b for b in cells] for a in cells]


def test_of_many_combinations_some_are_drawn_and_it_is_said() -> None:
    drawn = combinations(40, 3)
    assert len(set(drawn)) == accuracy.MOST
    assert drawn == combinations(40, 3)
    assert all(a < b < c for a, b, c in drawn)
    assert drawn_note([0.5, 0.7], 10, 2) is None
    note = drawn_note([0.4, 0.6] * 500, 40, 3)
    assert note is not None
    assert note.startswith("mean of 1000 of 9880 combinations")
    assert float(note.split()[-1]) == pytest.approx(1.96 * 0.1 / np.sqrt(1000) * np.sqrt(1 - 1000 / 9880), abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2)), min_size=1, max_size=40))
def test_cramers_v_is_scipys(lines: list[tuple[int, int]]) -> None:
    a, b = np.array(lines, dtype=np.int32).T
    both = (a >= 0) & (b >= 0)
    table = pd.crosstab(a[both], b[both]).to_numpy()
    expected = association(table) if min(table.shape, default=0) >= 2 else 0.0
    assert cramers_v(a, b) == pytest.approx(expected, abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.just(float("nan")), st.integers(-9, 9).map(float)), st.integers(-1, 2)),
        min_size=1,
        max_size=40,
    )
)
def test_the_correlation_ratio_equals_its_definition(lines: list[tuple[float, int]]) -> None:
    numbers, codes = np.array([line[0] for line in lines]), np.array([line[1] for line in lines], dtype=np.int32)
    both = ~np.isnan(numbers) & (codes >= 0)
    x, levels = numbers[both], codes[both]
    total = ((x - x.mean()) ** 2).sum() if len(x) else 0.0
    between = sum((levels == c).sum() * (x[levels == c].mean() - x.mean()) ** 2 for c in set(levels.tolist()))
    assert correlation_ratio(numbers, codes) == pytest.approx(np.sqrt(between / total) if total else 0.0, abs=1e-7)


def test_associations_of_all_kinds_of_pairs() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0] * 25)
    table = pa.table({"x": x, "y": -x, "c": np.where(x > 2, "high", "low"), "d": np.where(x > 2, "up", "down")})
    (original,) = encoded(table)
    found = associations(original)
    assert found[("x", "y")] == pytest.approx(1)
    assert found[("c", "d")] == pytest.approx(1)
    assert found[("x", "c")] == pytest.approx(np.sqrt(1 / 1.25))
    shuffled = table.set_column(2, "c", pa.array(np.tile(["high", "low"], 50)))
    original, avatars = encoded(table, shuffled)
    differences = association_differences(original, avatars)
    assert differences[("c", "d")] == pytest.approx(100)
    assert differences[("x", "d")] == pytest.approx(0)


def test_people_who_are_held_out_are_the_ceiling() -> None:
    original, avatars, held_out = encoded(mixed_table(400), mixed_table(400, seed=1), mixed_table(100, seed=2))
    ceiling = Ceiling.among(400, 400, 100)
    baseline = ceiling.of(association_differences, original, avatars, held_out)
    assert baseline is not None
    assert baseline.what == "held-out people (100 rows)"
    assert baseline.value == pytest.approx(mean(association_differences(original, held_out)))
    # All avatars are used, in parts of 100, which differ by chance more than all of them do.
    assert sorted(np.concatenate(ceiling.parts).tolist()) == list(range(400))
    assert [len(part) for part in ceiling.parts] == [100] * 4
    assert baseline.same_rows is not None
    assert baseline.same_rows > mean(association_differences(original, avatars))


def test_without_them_half_of_the_originals_is_compared_with_the_other() -> None:
    ceiling = Ceiling.among(401, 401, None)
    assert sorted([*ceiling.reference, *ceiling.fresh]) == list(range(401))
    assert len(ceiling.reference) == 200
    (original,) = encoded(mixed_table(401))
    baseline = ceiling.of(association_differences, original, original, None)
    assert baseline is not None
    halves = original.take(ceiling.reference), original.take(ceiling.fresh)
    assert baseline.value == pytest.approx(mean(association_differences(*halves)))


def test_fresh_people_of_the_same_kind_reach_the_ceiling() -> None:
    # "Avatars" that are fresh people themselves: on as few rows they are as good as the ceiling, but for chance.
    original, avatars, held_out = encoded(*(mixed_table(2000, seed=seed) for seed in (1, 2, 3)))
    bins = Bins.of(original)
    wanted = combinations(6, 2)
    people, same, others = (bins.bin(table) for table in (original, avatars, held_out))
    for rows in (2000, 500):
        fresh = others.take(np.arange(rows))
        baseline = Ceiling.among(2000, 2000, rows).of(lambda a, b: accuracies(a, b, wanted), people, same, fresh)
        assert baseline is not None
        assert baseline.same_rows == pytest.approx(baseline.value, abs=0.015)
