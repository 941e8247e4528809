"""What people feed in at 6 pm: each refused in one sentence that names the column and the way out, or dealt with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import avatars
from avatars.engine.errors import AvatarsWarning, EngineError

PEOPLE = pd.DataFrame({"age": [31, 45, 27, 62, 50], "ward": ["a", "b", "a", "c", "b"]})

REFUSED: dict[str, tuple[pd.DataFrame, dict[str, Any], str]] = {
    "k too small": (PEOPLE, {"k": 1}, "k must be a whole number, 2 or more"),
    "k too large": (PEOPLE, {"k": 5}, "k is 5, but the table has 5 rows: k must be at most 4"),
    "k a fraction": (PEOPLE, {"k": 2.5}, "k must be a whole number"),
    "two rows": (PEOPLE.head(2), {"k": 2}, "The table has 2 rows: avatars need at least 3"),
    "no rows": (PEOPLE.head(0), {"k": 2}, "The table has no rows"),
    "no columns": (pd.DataFrame(index=range(9)), {"k": 2}, "The table has no columns"),
    "no frame": (np.zeros((9, 2)), {"k": 2}, "must be a pandas DataFrame, and this is of type 'ndarray'"),  # type: ignore[dict-item]
    "mixed types": (
        pd.DataFrame({"x": [1, "two", 3.0, 4, 5]}),
        {"k": 2},
        "Column 'x' holds values of several or unknown kinds",
    ),
    "a number too large": (pd.DataFrame({"x": [1.0, 1e300, 2, 3]}), {"k": 2}, "Column 'x' has numbers beyond 1e\\+100"),
    "infinite": (pd.DataFrame({"x": [1.0, -np.inf, 2, 3]}), {"k": 2}, "Column 'x' has infinite values"),
    "an unknown column among weights": (
        PEOPLE,
        {"k": 2, "column_weights": {"agee": 2}},
        "column_weights: .*'agee'.*'age'",
    ),
    "an unknown column among types": (PEOPLE, {"k": 2, "types": {"wart": "category"}}, "'wart'.*'ward'"),
    "an unknown type": (PEOPLE, {"k": 2, "types": {"age": "number"}}, "must be one of int, float"),
    "an unknown imputation": (PEOPLE, {"k": 2, "imputation": {"method": "guess"}}, "must be one of knn, fast_knn"),
    "an unknown parameter of it": (PEOPLE, {"k": 2, "imputation": {"kk": 3}}, "imputation has no parameter 'kk'"),
    "an unknown method": (PEOPLE, {"k": 2, "method": "best"}, "The method must be one of"),
    "a negative weight": (
        PEOPLE,
        {"k": 2, "column_weights": {"age": -1}},
        "The weight of column 'age' must be a finite",
    ),
    "an endless weight": (PEOPLE, {"k": 2, "column_weights": {"age": np.inf}}, "The weight of column 'age' must be"),
    "no weight at all": (PEOPLE, {"k": 2, "column_weights": {"age": 0, "ward": 0}}, "Every column has weight 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_sentence(name: str) -> None:
    frame, arguments, sentence = REFUSED[name]
    with pytest.raises(EngineError, match=sentence) as refusal:
        avatars.anonymize(frame, progress=False, **arguments)
    assert "Traceback" not in str(refusal.value)
    assert str(refusal.value).endswith((".", "?"))


SURVIVES: dict[str, pd.DataFrame] = {
    "all rows identical": pd.DataFrame({"age": [40] * 8, "ward": ["a"] * 8}),
    "one column": pd.DataFrame({"ward": list("aabbccab")}),
    "three rows": PEOPLE.head(3),
    "levels named like missing values": pd.DataFrame({"x": ["NA", "null", "", "nan", "None", None, "NA", "null"]}),
    "numbers as text": pd.DataFrame({"x": ["1", "2", "10", "1", "2", "3", "10", "1"]}),
    "negative zeros": pd.DataFrame({"x": [0.0, -0.0, 0.0, -0.0, 1.5, -1.5, 0.0, 1.5]}),
    "all missing": pd.DataFrame({"x": [np.nan] * 6, "y": [1, 2, 3, 1, 2, 3]}),
    "tiny numbers": pd.DataFrame({"x": [1e-300, 2e-300, 0.0, 5e-301, 1e-300, 0.0]}),
    "spaces and accents in labels": pd.DataFrame(
        {" é è ": [1, 2, 3, 4], "": list("abca"), "a.b": [1.5, 2.5, 2.5, 3.5]}
    ),
}


@pytest.mark.parametrize("name", SURVIVES)
def test_survives(name: str) -> None:
    frame = SURVIVES[name]
    made = avatars.anonymize(frame, k=min(15, len(frame) - 1), seed=1, progress=False).avatars
    assert len(made) == len(frame)
    assert list(made.columns) == list(frame.columns)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)
    for label in frame.select_dtypes(exclude="number"):
        assert set(made[label].dropna()) <= set(frame[label].dropna())


def test_more_components_than_there_are_is_a_warning() -> None:
    with pytest.warns(AvatarsWarning, match="ncp is 99"):
        avatars.anonymize(PEOPLE, k=2, ncp=99, progress=False)
