"""Two tables made comparable, whatever processors have done to one of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.engine.errors import InvalidTable
from avatars.engine.parameters import Parameters
from avatars.evaluation.evaluate import evaluate
from avatars.server.jobs.comparison import comparable

LABELS = st.lists(st.sampled_from("abcdef"), unique=True)


@given(LABELS, LABELS)
def test_what_both_have_is_compared_in_the_order_of_the_originals(here: list[str], there: list[str]) -> None:
    originals = pa.table({label: [1, 2] for label in here})
    avatars = pa.table({label: [1, 2] for label in there})
    common = [label for label in here if label in there]
    if not common:
        with pytest.raises(InvalidTable, match="no column in common"):
            comparable(originals, avatars)
        return
    left, right = comparable(originals, avatars)
    assert left.column_names == right.column_names == common


NUMBERS = [pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()]


@pytest.mark.parametrize("here", NUMBERS, ids=str)
@pytest.mark.parametrize("there", NUMBERS, ids=str)
def test_numbers_of_two_types_are_compared_as_floats_and_of_one_as_they_are(
    here: pa.DataType, there: pa.DataType
) -> None:
    left, right = comparable(
        pa.table({"a": pa.array([1, None, 3, 4], here)}), pa.table({"a": pa.array([2, 2, None, 5], there)})
    )
    expected = here if here == there else pa.float64()
    assert (left["a"].type, right["a"].type) == (expected, expected)
    assert (left["a"].to_pylist(), right["a"].to_pylist()) == ([1, None, 3, 4], [2, 2, None, 5])


def test_integers_beyond_what_floats_hold_are_rounded_and_not_refused() -> None:
    left, _ = comparable(pa.table({"a": [2**53 + 1]}), pa.table({"a": [0.5]}))
    assert left["a"].to_pylist() == [2.0**53]


def test_text_and_numbers_are_left_to_the_judge_to_refuse_in_words() -> None:
    originals, avatars = comparable(pa.table({"a": [1, 2, 3]}), pa.table({"a": ["x", "y", "z"]}))
    with pytest.raises(InvalidTable, match="'a'"):
        evaluate(originals, avatars, Parameters(k=2))
