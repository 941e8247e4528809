"""What a column is said to be, why, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from avatars.engine.columns import Column, Kind, detect
from avatars.engine.errors import InvalidParameter, InvalidTable


def column(values: Any, type_: pa.DataType | None = None, declared: Kind | None = None) -> Column:
    table = pa.table({"x": values if isinstance(values, pa.Array) else pa.array(values, type_)})
    return detect(table, {} if declared is None else {"x": declared})[0]


def refusal(table: pa.Table, **options: Any) -> InvalidTable:
    with pytest.raises(InvalidTable) as refused:
        detect(table, **options)
    return refused.value


@pytest.mark.parametrize(
    ("values", "type_", "kind", "why"),
    [
        ([1, None], pa.int8(), Kind.INT, "integers"),
        ([1], pa.uint64(), Kind.INT, "integers"),
        ([1.5], pa.float64(), Kind.FLOAT, "floating-point numbers"),
        ([1.5], pa.float32(), Kind.FLOAT, "floating-point numbers"),
        ([1], pa.decimal128(5, 2), Kind.FLOAT, "decimal numbers"),
        ([1], pa.decimal32(5, 2), Kind.FLOAT, "decimal numbers"),
        ([True, None], pa.bool_(), Kind.BOOL, "true or false"),
        (["a"], pa.string(), Kind.CATEGORY, "text"),
        (["a"], pa.large_string(), Kind.CATEGORY, "text"),
        (["a"], pa.string_view(), Kind.CATEGORY, "text"),
        (["a"], pa.dictionary(pa.int8(), pa.string()), Kind.CATEGORY, "a categorical type"),
        ([0], pa.date32(), Kind.DATETIME, "dates"),
        ([0], pa.date64(), Kind.DATETIME, "dates"),
        ([0], pa.timestamp("ns", "UTC"), Kind.DATETIME, "dates and times"),
        ([0], pa.duration("us"), Kind.INT, "durations"),
        ([0], pa.time32("s"), Kind.INT, "times of day"),
        ([None], pa.null(), Kind.CATEGORY, "no values"),
    ],
)
def test_every_type_has_a_kind_and_a_reason(values: Any, type_: pa.DataType, kind: Kind, why: str) -> None:
    found = column(values, type_)
    assert (found.kind, found.why, found.type) == (kind, why, type_)
    assert found.is_numeric == (kind in (Kind.INT, Kind.FLOAT, Kind.DATETIME))


@pytest.mark.parametrize(
    "type_", [pa.list_(pa.int64()), pa.struct({"a": pa.int64()}), pa.binary(), pa.month_day_nano_interval()]
)
def test_types_without_a_kind_are_refused_by_name(type_: pa.DataType) -> None:
    error = refusal(pa.table({"odd": pa.nulls(2, type_)}))
    assert (error.code, error.column) == ("unsupported_type", "odd")
    assert "'odd'" in str(error)


def test_missing_cells_are_nulls_and_nan() -> None:
    assert column([1.0, float("nan"), None]).missing == 2
    assert column(["a", None]).missing == 1
    holes = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", None]))
    assert column(holes).missing == 2


def test_levels_are_those_in_use_sorted() -> None:
    levels = column(["b", None, "a", "b"]).levels
    assert levels is not None
    assert levels.to_pylist() == ["a", "b"]
    assert column([None], pa.string()).levels == pa.array([], pa.string())
    assert column([True], pa.bool_()).levels == pa.array([True])
    assert column([1, 2]).levels is None


def test_levels_of_a_dictionary_keep_its_order() -> None:
    sizes = pa.DictionaryArray.from_arrays(pa.array([2, 0], pa.int8()), pa.array(["S", "M", "L"]), ordered=True)
    found = column(sizes)
    assert found.levels is not None
    assert found.levels.to_pylist() == ["S", "L"]
    assert found.dictionary is not None
    assert found.dictionary.to_pylist() == ["S", "M", "L"]


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.25, 2.5, 3.75, 4.0], 2),
        ([1.0, 2.0, 3.0], 0),
        ([0.1, 0.25], 2),  # as common: the larger one loses nothing
        ([0.0, 0.0, 0.0, 0.25, 0.75], 2),  # zeros say nothing
        ([1e-3, 5e-3], 3),
        ([0.1 + 0.2, 1 / 3, 2 / 3], None),
        ([1e-20, 2.5e-20], None),  # rounding to 15 decimals would leave nothing of them
        ([1e99, 2e99], 0),
        ([None, float("nan")], 0),
    ],
)
def test_typical_number_of_decimals(values: list[float | None], decimals: int | None) -> None:
    assert column(values, pa.float64()).decimals == decimals


def test_decimals_of_single_precision_are_those_of_its_own_text() -> None:
    assert column(np.array([0.1, 2.3, 4.5], np.float32).tolist(), pa.float32()).decimals == 1


def test_decimals_of_long_columns_come_from_rows_all_over_the_table() -> None:
    assert column(np.r_[np.arange(150_000) + 0.5, np.arange(350_000) + 0.25].tolist()).decimals == 2


@pytest.mark.parametrize(
    ("seconds", "step"), [([0, 86400], 86400), ([3600, 7200], 3600), ([60], 60), ([61], 1), ([], 1)]
)
def test_granularity_of_datetimes(seconds: list[int], step: int) -> None:
    for unit, per_second in (("s", 1), ("ms", 10**3), ("ns", 10**9)):
        found = column(pa.array([second * per_second for second in [*seconds]] + [None], pa.timestamp(unit)))
        assert found.step == (step * per_second if seconds else 1)
        assert found.missing == 1


def test_midnights_of_a_zone_are_whole_days() -> None:
    july, january = 1593554400, 1577833200  # midnights in Paris
    found = column(pa.array([july, january]).cast(pa.timestamp("s", "Europe/Paris")))
    assert (found.step, found.step_is_local) == (86400, True)


def test_a_zone_that_nobody_knows_is_no_obstacle() -> None:
    found = column(pa.array([3600, 7200]).cast(pa.timestamp("s", "Nowhere/Land")))
    assert (found.step, found.step_is_local) == (3600, False)


def test_to_categorical_threshold_turns_numbers_with_few_values_into_categories() -> None:
    table = pa.table(
        {"few": [1, 2, 1, 2], "many": [1, 2, 3, 4], "half": [0.5, float("nan"), None, 1.5], "no": [None] * 4}
    )
    table = table.set_column(3, "no", pa.nulls(4, pa.int64()))
    few, many, half, empty = detect(table, to_categorical_threshold=2)
    assert (few.kind, few.why) == (Kind.CATEGORY, "at most 2 distinct values")
    assert many.kind is Kind.INT
    assert half.kind is Kind.CATEGORY
    assert half.missing == 2
    assert half.levels is not None
    assert half.levels.to_pylist() == [0.5, 1.5]
    assert empty.kind is Kind.INT
    assert detect(table, {"few": Kind.INT}, to_categorical_threshold=2)[0].kind is Kind.INT


def test_one_zero() -> None:
    found = column([-0.0, 0.0, 1.0], declared=Kind.CATEGORY)
    assert found.levels is not None
    assert len(found.levels) == 2


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        (pa.array([1, 2]), Kind.CATEGORY),
        (pa.array([1, 2]), Kind.BOOL),
        (pa.array([1, 2]), Kind.FLOAT),
        (pa.array([1.0, None, 3.0]), Kind.INT),
        (pa.array([True, False]), Kind.INT),
        (pa.array(["1", None, "-2"]), Kind.INT),
        (pa.array(["1.5", "2"]), Kind.FLOAT),
        (pa.array(["2020-01-31", None]), Kind.DATETIME),
        (pa.array(["31/01/2020", None]), Kind.DATETIME),
        (pa.array(["yes", "no", None]), Kind.BOOL),
        (pa.array([0], pa.timestamp("s")), Kind.CATEGORY),
        (pa.array([0], pa.timestamp("s")), Kind.INT),
        (pa.nulls(2), Kind.FLOAT),
        (pa.nulls(2, pa.string()), Kind.DATETIME),
    ],
)
def test_declared_kinds_override_what_is_detected(values: pa.Array, declared: Kind) -> None:
    found = column(values, declared=declared)
    assert (found.kind, found.why, found.type) == (declared, "declared", values.type)
    assert found.missing == values.null_count


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        (pa.array(["1", "SECRET"]), Kind.FLOAT),
        (pa.array(["1", "SECRET"]), Kind.INT),
        (pa.array(["1.5", "2"]), Kind.INT),
        (pa.array(["SECRET"]), Kind.DATETIME),
        (pa.array(["2020-02-30"]), Kind.DATETIME),
        (pa.array([1.5]), Kind.INT),
        (pa.array([1, 2, 3]), Kind.BOOL),
        (pa.array([1]), Kind.DATETIME),
        (pa.array(["1"]).dictionary_encode(), Kind.INT),
    ],
)
def test_values_that_are_not_of_the_declared_kind_are_refused_without_telling_them(
    values: pa.Array, declared: Kind
) -> None:
    error = refusal(pa.table({"x": values}), types={"x": declared})
    assert (error.code, error.column) == ("wrong_type", "x")
    assert str(declared) in str(error)
    assert "SECRET" not in str(error)


def test_dates_whose_day_and_month_cannot_be_told_apart_are_refused() -> None:
    assert refusal(pa.table({"x": ["01/02/2020"]}), types={"x": Kind.DATETIME}).code == "ambiguous_dates"
    assert column(["01/01/2020"], declared=Kind.DATETIME).kind is Kind.DATETIME


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_that_is_dates_throughout_is_dates(type_: pa.DataType) -> None:
    dates: list[list[str | None]] = [
        ["2020-01-02", None],
        ["31/12/2020", "01/02/2020"],
        ["2020-01-02 10:00", "2020-01-02 11:30"],
    ]
    others: list[list[str | None]] = [
        ["01/02/2020", "03/04/2020"],
        ["2020-01-02", "never"],
        ["2020-02-30", None],
        [None, None],
    ]
    for cells in dates:
        found = column(pa.array(cells, type_))
        assert (found.kind, found.why, found.type) == (Kind.DATETIME, "dates written as text", type_)
    for cells in others:
        assert column(pa.array(cells, type_)).kind is Kind.CATEGORY
    assert column(pa.array(["2020-01-02"], type_), declared=Kind.CATEGORY).kind is Kind.CATEGORY
    assert column(pa.array(["2020-01-02"], type_).cast(pa.string()).dictionary_encode()).kind is Kind.CATEGORY


@pytest.mark.parametrize("declared", [None, Kind.CATEGORY, Kind.INT])
@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_values_are_refused_by_the_column_s_name(value: float, declared: Kind | None) -> None:
    table = pa.table({"fine": [1.0, 2.0, None], "endless": [1.0, float("nan"), value]})
    error = refusal(table, types={} if declared is None else {"endless": declared})
    assert (error.code, error.column) == ("infinite_values", "endless")


@pytest.mark.parametrize("value", [1e101, -1e300])
def test_numbers_whose_squares_are_infinite_are_refused(value: float) -> None:
    error = refusal(pa.table({"huge": [1.0, value, None]}))
    assert (error.code, error.column) == ("numbers_too_large", "huge")
    assert detect(pa.table({"huge": [1.0, value]}), {"huge": Kind.CATEGORY})[0].kind is Kind.CATEGORY


def test_text_that_says_infinite_is_refused_where_it_is_declared_a_number() -> None:
    assert refusal(pa.table({"x": ["1", "inf"]}), types={"x": Kind.FLOAT}).code == "infinite_values"


def test_tables_without_rows_or_columns_are_refused() -> None:
    assert refusal(pa.table({"x": pa.array([], pa.int64())})).code == "empty_table"
    assert refusal(pa.table({})).code == "empty_table"


def test_duplicate_labels_are_refused_by_name() -> None:
    error = refusal(pa.table([pa.array([1]), pa.array([2])], names=["age", "age"]))
    assert (error.code, error.column) == ("duplicate_columns", "age")


def test_a_declared_column_that_is_not_there_brings_the_nearest_label() -> None:
    with pytest.raises(InvalidParameter, match=r"no column 'wieght': did you mean 'weight'\?") as refused:
        detect(pa.table({"weight": [1], "size": [2]}), {"wieght": Kind.INT})
    assert (refused.value.code, refused.value.column) == ("unknown_column", "wieght")


def test_a_declared_kind_that_there_is_not() -> None:
    with pytest.raises(InvalidParameter, match="one of int, float, bool, category, datetime") as refused:
        detect(pa.table({"age": [1]}), {"age": "integer"})  # type: ignore[dict-item]
    assert refused.value.code == "unknown_type"
    assert detect(pa.table({"age": [1]}), {"age": "float"})[0].kind is Kind.FLOAT  # type: ignore[dict-item]


def test_chunks_do_not_matter() -> None:
    whole = pa.table(
        {"s": ["a", "b", None, "a"], "i": [1, 2, 3, 4], "d": [date(2020, 1, 1), None, None, date(2020, 1, 3)]}
    )
    whole = whole.append_column("c", whole["s"].dictionary_encode())
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 1), whole.slice(2)])
    for one, other in zip(detect(whole), detect(pieces), strict=True):
        assert (one.kind, one.missing, one.origin, one.step) == (other.kind, other.missing, other.origin, other.step)
        assert one.levels == other.levels
