"""Tables for the processors' tests, and a processor of each kind that fits them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from avatars.processors import (
    DatetimeProcessor,
    ExpectedMeanProcessor,
    GeolocationNormalizationProcessor,
    GroupModalitiesProcessor,
    InterRecordBoundedCumulatedDifferenceProcessor,
    InterRecordBoundedRangeDifferenceProcessor,
    InterRecordCumulatedDifferenceProcessor,
    InterRecordRangeDifferenceProcessor,
    PerturbationProcessor,
    Processor,
    ProportionProcessor,
    RelativeDifferenceProcessor,
    RelativeRangeProcessor,
    ToCategoricalProcessor,
)

WHOLE_DTYPES = ["int64", "int16", "uint8", "Int64", "UInt8", "int32[pyarrow]"]
"""Dtypes of whole numbers from 0 to 100 without missing ones."""

CUMULATED: dict[str, Any] = {
    "id_variable": "id",
    "target_variable": "whole",
    "new_first_variable_name": "first",
    "new_difference_variable_name": "difference",
}
RANGES: dict[str, Any] = {"id_variable": "id", "target_start_variable": "part", "target_end_variable": "whole"}
NEW: dict[str, Any] = {"new_first_variable": "first", "new_range_variable": "range", "new_difference_variable": "gap"}
NEW_NAMES: dict[str, Any] = {
    "new_first_variable_name": "first",
    "new_range_variable": "range",
    "new_difference_variable_name": "gap",
}

PROCESSORS: dict[str, Callable[[], Processor]] = {
    "proportions": lambda: ProportionProcessor(["part", "other_part"], "whole"),
    "proportions, rounded": lambda: ProportionProcessor(["part", "other_part"], "whole", decimal_count=0),
    "proportions of more": lambda: ProportionProcessor(["part"], "whole", sum_to_one=False),
    "mean": lambda: ExpectedMeanProcessor(["part", "weight"]),
    "mean by group": lambda: ExpectedMeanProcessor(["part", "weight"], groupby_variables=["id", "ward"], same_std=True),
    "modalities": lambda: GroupModalitiesProcessor(min_unique=1, global_threshold=0),
    "perturbation": lambda: PerturbationProcessor(
        {"part": 0.3, "ward": 0.5, "when": 0.5, "whole": 0, "id": 0.1}, seed=1
    ),
    "difference": lambda: RelativeDifferenceProcessor("whole", ["part"]),
    "difference, renamed": lambda: RelativeDifferenceProcessor("whole", ["part", "other_part"], 7, "rest", True),
    "range": lambda: RelativeRangeProcessor("part", ("zero", "whole"), drop_target=False),
    "datetime": DatetimeProcessor,
    "categorical": lambda: ToCategoricalProcessor(4),
    "categorical, continuous": lambda: ToCategoricalProcessor(100, keep_continuous=True),
    "cumulated": lambda: InterRecordCumulatedDifferenceProcessor(**CUMULATED, keep_record_order=True),
    "ranges": lambda: InterRecordRangeDifferenceProcessor(
        **RANGES, **NEW, sort_by_variable="part", keep_record_order=True
    ),
    "ranges, sorted by a column that stays": lambda: InterRecordRangeDifferenceProcessor(
        **RANGES, **NEW, sort_by_variable="other_part"
    ),
    "bounded": lambda: InterRecordBoundedCumulatedDifferenceProcessor(**CUMULATED, should_round_output=True),
    "bounded ranges": lambda: InterRecordBoundedRangeDifferenceProcessor(**RANGES, **NEW_NAMES),
    "bounded ranges, sorted": lambda: InterRecordBoundedRangeDifferenceProcessor(
        **RANGES, **NEW_NAMES, sort_by_variable="part", keep_record_order=True
    ),
    "geolocation": lambda: GeolocationNormalizationProcessor(
        latitude_variable="Breite", longitude_variable="Länge", n_reference_lat=3, n_bins=7
    ),
}

FLOATS = {
    "proportions": ["part", "other_part"],
    "proportions of more": ["part"],
    "mean": ["part", "weight"],
    "mean by group": ["part", "weight"],
}
"""The columns that come back as floats whatever they were: the docstrings say so."""

ADDED = {"difference, renamed": ["rest"]}
"""The columns that are there afterwards, and were not before."""


def array(values: Any, dtype: Any) -> Any:
    """``pandas.array``, whose stubs know one dtype at a time."""
    return pd.array(values, dtype=dtype)


@st.composite
def indexes(draw: st.DrawFn, n: int) -> pd.Index[Any]:
    """An index of any kind; the last two have labels that are there more than once, or none in order."""
    kinds: list[Callable[[], Any]] = [
        lambda: range(n),
        lambda: range(100, 100 + 2 * n, 2),
        lambda: [f"patient {i}" for i in range(n)],
        lambda: [i // 2 for i in range(n)],
        lambda: draw(st.permutations(range(n))),
    ]
    index: pd.Index[Any] = pd.Index(draw(st.sampled_from(kinds))())
    return index


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A table with whole numbers of some dtype, text, dates and floats with missing cells, positions, on any index."""
    n = draw(st.integers(1, 12))

    def column(cells: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(cells, min_size=n, max_size=n))

    part, other = column(st.integers(0, 50)), column(st.integers(0, 50))
    degrees = st.floats(-80, 80, allow_nan=False, width=32)
    whole = {
        "part": part,
        "other_part": other,
        "whole": [a + b for a, b in zip(part, other, strict=True)],
        "zero": [0] * n,
    }
    dtypes = st.sampled_from(WHOLE_DTYPES)
    moments = st.datetimes(pd.Timestamp(1901, 1, 1), pd.Timestamp(2100, 1, 1))
    when = pd.Series(column(st.none() | moments), dtype=f"datetime64[{draw(st.sampled_from(['s', 'ms', 'us']))}]")
    return pd.DataFrame(
        {
            "when": when.dt.tz_localize(
                draw(st.sampled_from([None, "UTC", "Europe/Paris"])), ambiguous="NaT", nonexistent="NaT"
            ).array,
            "id": pd.Categorical(column(st.sampled_from("ABC")), categories=list("ABC")),
            **{name: array(cells, dtype=draw(dtypes)) for name, cells in whole.items()},
            "ward": array(
                column(st.sampled_from(["x", "y", None])), dtype=draw(st.sampled_from(["str", "object", "string"]))
            ),
            "weight": array(
                column(st.none() | st.floats(-1e6, 1e6)), dtype=draw(st.sampled_from(["float64", "Float64"]))
            ),
            "Breite": column(degrees),
            "Länge": column(degrees),
        },
        index=draw(indexes(n)),
    )
