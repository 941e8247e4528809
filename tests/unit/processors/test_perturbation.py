"""Avatars drawn back towards their originals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.processors.tables import array

from avatars.processors.perturbation import PerturbationProcessor


def pair(n: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    source = pd.DataFrame({"x": np.arange(n) * 10.0, "ward": ["a"] * n}, index=range(100, 100 + n))
    return source, pd.DataFrame({"x": np.arange(n) + 100.0, "ward": ["b"] * n})


@pytest.mark.parametrize("levels", [None, {}, {"x": 1, "ward": 1}])
def test_nothing_to_draw_back(levels: dict[str, float] | None) -> None:
    source, dest = pair()
    # Without anything to draw back, rows need not be pairs.
    pd.testing.assert_frame_equal(PerturbationProcessor(levels).postprocess(source.iloc[:1], dest), dest)


def test_level_0_is_the_original() -> None:
    source, dest = pair()
    back = PerturbationProcessor({"x": 0, "ward": 0}).postprocess(source, dest)
    pd.testing.assert_frame_equal(back, source.reset_index(drop=True))


def test_numbers_go_a_part_of_the_way_whatever_the_index() -> None:
    source, dest = pair()
    back = PerturbationProcessor({"x": 0.25}).postprocess(source, dest)
    assert back["x"].tolist() == [25.0, 32.75, 40.5, 48.25]
    assert back["ward"].tolist() == ["b"] * 4


@pytest.mark.parametrize("dtype", ["int64", "uint8", "Int64", "int16[pyarrow]"])
def test_integers_stay_integers(dtype: str) -> None:
    source = pd.DataFrame({"age": array([30, 40], dtype=dtype)})
    back = PerturbationProcessor({"age": 0.3}).postprocess(source, pd.DataFrame({"age": [31, 35]}))["age"]
    assert (str(back.dtype), back.tolist()) == (dtype, [30, 38])


def test_a_number_that_is_missing_on_one_side_is_missing() -> None:
    source = pd.DataFrame({"x": array([1, None, 3], dtype="Int64")})
    back = PerturbationProcessor({"x": 0.5}).postprocess(source, pd.DataFrame({"x": [3.0, 4.0, np.nan]}))
    pd.testing.assert_frame_equal(back, pd.DataFrame({"x": array([2, None, None], dtype="Int64")}))


CELLS: dict[str, tuple[Any, Any, str]] = {
    "text": (["a"] * 400, ["b"] * 400, "str"),
    "text and category": (["a"] * 400, pd.Categorical(["b"] * 400), "str"),
    "category": (pd.Categorical(["a"] * 400), pd.Categorical(["b"] * 400), "category"),
    "bool": ([True] * 400, [False] * 400, "bool"),
    "boolean": (array([True, None] * 200, dtype="boolean"), array([False] * 400, dtype="boolean"), "boolean"),
    "zone": (
        pd.to_datetime(["2020-01-01"] * 400).tz_localize("Europe/Paris"),
        pd.to_datetime(["2021-01-01"] * 400).tz_localize("Europe/Paris"),
        "datetime64[us, Europe/Paris]",
    ),
}


@pytest.mark.parametrize("kind", CELLS)
def test_other_cells_are_the_avatars_as_often_as_the_level_says(kind: str) -> None:
    before, after, dtype = CELLS[kind]
    source, dest = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    processor = PerturbationProcessor({"c": 0.8}, seed=3)
    back = processor.postprocess(source, dest)["c"]
    assert str(back.dtype) == dtype
    taken = back.astype(object).isin(dest["c"].unique())
    assert taken.mean() == pytest.approx(0.8, abs=0.06)
    assert back[~taken].astype(object).dropna().isin(source["c"].astype(object)).all()
    pd.testing.assert_series_equal(processor.postprocess(source, dest)["c"], back)
    assert not PerturbationProcessor({"c": 0.8}, seed=4).postprocess(source, dest)["c"].equals(back)


def test_categories_that_only_avatars_have_come_after_the_others() -> None:
    source = pd.DataFrame({"c": pd.Categorical(["b", "a"] * 50, categories=["b", "a"], ordered=True)})
    dest = pd.DataFrame({"c": ["z", "a"] * 50})
    back = PerturbationProcessor({"c": 0.5}, seed=1).postprocess(source, dest)["c"]
    assert back.cat.categories.tolist() == ["b", "a", "z"]
    assert back.cat.ordered


@settings(deadline=None)
@given(
    cells=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1),
    level=st.floats(0, 1),
)
def test_a_number_is_never_outside_of_the_pair(cells: list[tuple[float, float]], level: float) -> None:
    both = pd.DataFrame(cells, columns=["x", "avatar"])
    back = PerturbationProcessor({"x": level}).postprocess(both[["x"]], pd.DataFrame({"x": both["avatar"]}))["x"]
    assert (back >= both.min(axis=1) - 1e-6).all()
    assert (back <= both.max(axis=1) + 1e-6).all()


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
def test_a_level_is_from_0_to_1(level: float) -> None:
    with pytest.raises(ValueError, match="perturbation_level: the level of column 'x' must be from 0 to 1"):
        PerturbationProcessor({"x": level})


def test_what_cannot_work_is_refused() -> None:
    source, dest = pair()
    processor = PerturbationProcessor({"z": 0.5})
    with pytest.raises(ValueError, match="perturbation_level: the frame has no column 'z'"):
        processor.preprocess(source)
    with pytest.raises(ValueError, match="perturbation_level: the frame has no column 'z'"):
        processor.postprocess(source, dest)
    with pytest.raises(ValueError, match="not those of the source in their order"):
        PerturbationProcessor({"x": 0.5}).postprocess(source, dest.iloc[::-1])
    with pytest.raises(ValueError, match="Column 'x' is of numbers either in the source or in the avatars"):
        PerturbationProcessor({"x": 0.5}).postprocess(source, dest.assign(x="text"))
