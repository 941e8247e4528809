"""The inferred schema as a frame: what a run would take each column for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import avatars
from avatars.engine.errors import EngineError, InvalidParameter, InvalidTable

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"
COLUMNS = ["column", "type", "why", "missing", "levels"]


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [30, 41, 52, 63],
            "weight": [70.5, None, 82.0, None],
            "smokes": [True, False, True, True],
            "centre": ["Lyon", "Nantes", None, "Lyon"],
            "arm": pd.Categorical(["a", "b", "a", "a"], categories=["a", "b", "never"]),
            "seen": pd.to_datetime(["2020-01-01", "2020-02-03", "2021-05-06", "NaT"]),
            "empty": [None] * 4,
        }
    )


def test_each_kind_with_its_reason_missing_cells_and_levels() -> None:
    shown = avatars.schema(people())
    assert list(shown.columns) == COLUMNS
    assert shown["levels"].dtype == pd.Int64Dtype()
    assert shown["missing"].dtype == "int64"
    rows = [tuple(None if pd.isna(value) else value for value in row) for row in shown.itertuples(index=False)]
    assert rows == [
        ("age", "int", "integers", 0, None),
        ("weight", "float", "floating-point numbers", 2, None),
        ("smokes", "bool", "true or false", 0, 2),
        ("centre", "category", "text", 1, 2),
        ("arm", "category", "a categorical type", 0, 2),
        ("seen", "datetime", "dates and times", 1, None),
        ("empty", "category", "no values", 4, 0),
    ]


def test_declared_types_and_the_threshold_say_so() -> None:
    shown = avatars.schema(people(), types={"age": "float"}, to_categorical_threshold=3).set_index("column")
    assert tuple(shown.loc["age", ["type", "why"]]) == ("float", "declared")
    assert tuple(shown.loc["weight", ["type", "why", "levels"]]) == ("category", "at most 3 distinct values", 2)


def test_labels_are_those_of_the_frame() -> None:
    df = people()[["age", "weight", "centre"]]
    df.columns = pd.Index([1, "1", ("a", "b")], dtype=object, tupleize_cols=False)
    shown = avatars.schema(df, types={1: "category"})
    assert list(shown["column"]) == [1, "1", ("a", "b")]
    assert list(shown["type"]) == ["category", "float", "category"]


def test_labels_of_several_levels_are_tuples() -> None:
    df = people()[["age", "weight"]]
    df.columns = pd.MultiIndex.from_tuples([("body", "age"), ("body", "weight")])
    assert list(avatars.schema(df)["column"]) == [("body", "age"), ("body", "weight")]


def test_the_frame_is_left_alone_and_its_index_unused() -> None:
    df = people().set_index(pd.Index(["p", "q", "r", "s"]))
    before = df.copy(deep=True)
    shown = avatars.schema(df)
    pd.testing.assert_frame_equal(df, before)
    pd.testing.assert_frame_equal(shown, avatars.schema(people()))


def test_it_says_what_a_run_does() -> None:
    df = pd.read_csv(IRIS)
    shown = avatars.schema(df).set_index("column")["type"]
    assert shown.to_dict() == {name: "category" if name == "variety" else "float" for name in df.columns}


@pytest.mark.parametrize(
    ("df", "arguments", "error", "says"),
    [
        (people(), {"types": {"aeg": "float"}}, InvalidParameter, "did you mean 'age'"),
        (people(), {"types": {"age": "text"}}, InvalidParameter, "one of int, float, bool"),
        (people(), {"types": {"centre": "float"}}, InvalidTable, "'centre'"),
        (people().iloc[:0], {}, InvalidTable, "no rows"),
        (pd.DataFrame(index=range(3)), {}, InvalidTable, "no columns"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), {}, InvalidTable, "'x'"),
    ],
)
def test_refusals_are_those_of_a_run(
    df: pd.DataFrame, arguments: dict[str, object], error: type[EngineError], says: str
) -> None:
    with pytest.raises(error, match=says):
        avatars.schema(df, **arguments)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet="xyz", min_size=1, max_size=3),
        st.sampled_from(
            [
                st.text(alphabet="QWERTY", min_size=12, max_size=12),
                st.integers(min_value=10**11, max_value=10**12),
                st.floats(min_value=1e11, max_value=1e12),
                st.dates(min_value=dt.date(1950, 1, 1), max_value=dt.date(2020, 1, 1)),
            ]
        ),
        min_size=1,
    ),
    st.integers(min_value=1, max_value=8),
    st.data(),
)
def test_one_row_a_column_and_never_a_cell(
    strategies: dict[str, st.SearchStrategy[object]], rows: int, data: st.DataObject
) -> None:
    df = pd.DataFrame({name: data.draw(st.lists(s, min_size=rows, max_size=rows)) for name, s in strategies.items()})
    shown = avatars.schema(df)
    assert list(shown["column"]) == list(df.columns)
    said = shown.to_csv()
    for name in df.columns:
        assert not [value for value in df[name] if str(value) in said]
