"""Nothing that is shown rests on one to four people."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatars.report.small_counts import FEWEST, is_small, largest_first, merged, round_edges, summed, whole_edges

counts = st.lists(st.integers(0, 12), min_size=1, max_size=30).map(np.array)
anytime = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@anytime
@given(counts)
def test_merged_bins_are_of_enough_people_or_of_nobody(table: np.ndarray) -> None:
    starts = merged([table])
    if starts is None:
        assert 0 < table.sum() < FEWEST
        return
    sums = summed(table, starts)
    assert starts[0] == 0
    assert sums.sum() == table.sum()
    assert not is_small(sums).any()


@anytime
@given(counts, st.integers(1, 12))
def test_levels_and_the_rest_are_of_enough_people(table: np.ndarray, most: int) -> None:
    shown = largest_first(table, most)
    assert len(shown) <= most
    assert (table[shown] >= FEWEST).all()
    rest = table.sum() - table[shown].sum()
    assert rest == 0 or rest >= FEWEST or not shown


@anytime
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60).map(np.array), st.integers(2, 20), st.booleans())
def test_edges_are_round_and_rise(cells: np.ndarray, bins: int, whole: bool) -> None:
    edges = round_edges(cells, bins, whole=whole)
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= 2 * bins + 5
    if len(edges):
        outer = whole_edges(edges, range(len(edges) + 1))
        assert len(outer) == len(edges) + 2
        assert np.isfinite(outer).all()
