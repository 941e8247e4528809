"""Statistics of any column are those of the standard library, and always JSON."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.engine.columns import Kind
from avatars.engine.errors import Cancelled
from avatars.engine.progress import Silent
from avatars.server.datasets.analysis import correlate, summarise

COLUMNS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "é"])), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.datetimes()), min_size=1, max_size=40),
)


def described(values: list[Any], kind: Kind | None = None) -> dict[str, Any]:
    summary = summarise(pa.table({"a": values}), {} if kind is None else {"a": kind}, Silent())
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    (column,) = summary["stats"]
    return {**column, "is_id": summary["probable_ids"] == ["a"]}


@given(COLUMNS)
def test_any_column_is_described(values: list[Any]) -> None:
    column = described(values)
    present = [value for value in values if value is not None]
    assert column["missing_number"] == len(values) - len(present)
    assert column["unique_number"] == len(set(present))
    if column["dtype"] in ("int", "float") and present:
        assert column["mean"] == pytest.approx(statistics.fmean(present), rel=1e-6, abs=1e-6)
        assert column["median"] == pytest.approx(statistics.median(present), rel=1e-6, abs=1e-6)
        assert column["standard_deviation"] == pytest.approx(statistics.pstdev(present), rel=1e-4, abs=1e-2)
    else:
        assert column.get("mean") is None
    if column["mode"] is not None and column["dtype"] in ("int", "float", "category"):
        assert Counter(present)[column["mode"]] == max(Counter(present).values())


@pytest.mark.parametrize(
    ("values", "is_id"),
    [
        (["a", "b", "c", "d"], True),
        (["a", "b", "c", "c"], False),
        ([str(number) for number in range(99)] + ["0"], True),
        ([4, 3, 2, 1], True),
        ([4, 3, 2, 2], False),
        ([0.1, 0.2, 0.3], False),
        ([True, False], False),
        (["only"], False),
        ([None, None], False),
    ],
    ids=str,
)
def test_values_that_hardly_repeat_look_like_names(values: list[Any], is_id: bool) -> None:
    assert described(values)["is_id"] is is_id


def test_a_declared_type_counts() -> None:
    assert described([1, 2, 2, 3], Kind.CATEGORY)["dtype"] == "category"
    assert described(["1", "2", "4"], Kind.INT)["mean"] == pytest.approx(7 / 3)


def test_an_analysis_can_be_stopped() -> None:
    class Stop(Silent):
        def should_stop(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        summarise(pa.table({"a": [1]}), {}, Stop())


def test_correlations_of_constants_are_unknown() -> None:
    found = correlate(pa.table({"a": [1, 2, 3], "b": [3, 2, 1], "c": [5, 5, 5], "d": ["x", "y", "z"]}), {})
    assert found["a"] == {"a": pytest.approx(1), "b": pytest.approx(-1), "c": None}
    assert found["c"] == {"a": None, "b": None, "c": None}
