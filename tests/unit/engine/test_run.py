"""The whole path of a table."""

from __future__ import annotations

import weakref
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.engine.tables import mixed_table

from avatars.engine import batches
from avatars.engine.columns import Kind
from avatars.engine.errors import Cancelled, InvalidParameter, InvalidTable
from avatars.engine.parameters import Method, Parameters
from avatars.engine.progress import STEPS, completion
from avatars.engine.run import run


def test_shape_schema_and_columns_are_the_originals() -> None:
    table = mixed_table(500, missing=0.1)
    made = run(table, Parameters(k=10, seed=1))
    for out in (made.avatars, made.sensitive_unshuffled_avatars):
        assert out.schema == table.schema
        assert out.num_rows == 500


def test_published_and_unshuffled_are_the_same_rows_in_another_order() -> None:
    made = run(mixed_table(300), Parameters(k=10, seed=1))
    published, unshuffled = made.avatars.to_pylist(), made.sensitive_unshuffled_avatars.to_pylist()
    assert sorted(map(str, published)) == sorted(map(str, unshuffled))
    assert published != unshuffled


def test_the_same_seed_gives_the_same_avatars_and_another_one_others() -> None:
    table = mixed_table(400, missing=0.1)
    first = run(table, Parameters(k=10, seed=7))
    assert first.avatars.equals(run(table, Parameters(k=10, seed=7)).avatars)
    assert not first.avatars.equals(run(table, Parameters(k=10, seed=8)).avatars)


def test_without_a_seed_runs_differ_and_say_their_seed() -> None:
    table = mixed_table(200)
    one, two = run(table, Parameters(k=10)), run(table, Parameters(k=10))
    assert one.parameters.seed != two.parameters.seed
    assert run(table, one.parameters).avatars.equals(one.avatars)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed_table(9000, missing=0.05)
    two = run(table, Parameters(k=8, seed=1)).avatars
    monkeypatch.setattr(batches, "default_threads", lambda: 1)
    assert run(table, Parameters(k=8, seed=1)).avatars.equals(two)


def test_avatars_stay_within_the_originals_range() -> None:
    table = mixed_table(500)
    out = run(table, Parameters(k=10, seed=1)).avatars
    for name in ("height", "weight", "visits"):
        before, after = table[name].to_numpy(), out[name].to_numpy()
        assert before.min() <= after.min()
        assert after.max() <= before.max()
    assert set(out["ward"].to_pylist()) <= set(table["ward"].to_pylist())


def test_declared_types_override_detection() -> None:
    table = pa.table(
        {"code": np.random.default_rng(0).integers(0, 5, 200) * 100, "x": np.random.default_rng(1).normal(size=200)}
    )
    out = run(table, Parameters(k=10, seed=1), types={"code": Kind.CATEGORY}).avatars
    assert set(out["code"].to_pylist()) <= {0, 100, 200, 300, 400}
    assert out.schema == table.schema
    by_threshold = run(table, Parameters(k=10, seed=1), to_categorical_threshold=5).avatars
    assert by_threshold.equals(out)


def test_column_weights_change_the_neighbours() -> None:
    table = mixed_table(400)
    heavy = run(table, Parameters(k=5, seed=1, column_weights={"ward": 1.0})).sensitive_unshuffled_avatars
    plain = run(table, Parameters(k=5, seed=1, column_weights={"ward": 0.0})).sensitive_unshuffled_avatars
    kept = [np.mean(np.array(out["ward"].to_pylist()) == np.array(table["ward"].to_pylist())) for out in (heavy, plain)]
    assert kept[0] > kept[1] + 0.1


@pytest.mark.parametrize(
    ("table", "k", "error", "code"),
    [
        (mixed_table(20), 20, InvalidParameter, "k_too_large"),
        (mixed_table(2), 2, InvalidParameter, "too_few_rows"),
        (pa.table({"x": pa.array([], pa.int64())}), 2, InvalidTable, "empty_table"),
        (pa.table({"x": [1.0, float("inf"), 2.0, 3.0]}), 2, InvalidTable, "infinite_values"),
    ],
)
def test_bad_input_is_refused(table: pa.Table, k: int, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as refused:
        run(table, Parameters(k=k))
    assert getattr(refused.value, "code", None) == code


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [1.0] * 10}),
        pa.table({"x": ["a"] * 10}),
        pa.table({"x": range(10)}),
        pa.table({"x": [True, False] * 5}),
        pa.table({"x": pa.nulls(10, pa.int64()), "y": range(10)}),
        pa.table({"a": range(10), "b": [10**17 + i for i in range(10)]}),
    ],
    ids=["constant", "one level", "unique numbers", "bool", "all missing", "large numbers"],
)
def test_degenerate_tables_survive(table: pa.Table) -> None:
    out = run(table, Parameters(k=3, seed=1)).avatars
    assert out.schema == table.schema
    assert out.num_rows == 10


CELLS = {
    "int": st.integers(-5, 5),
    "float": st.floats(-1e6, 1e6).map(lambda x: round(x, 2)),
    "text": st.sampled_from(["a", "é", "NA", "", "ward 3"]),
    "bool": st.booleans(),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_table_survives(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 30))
    kinds = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    types = {"int": pa.int64(), "float": pa.float64(), "text": pa.string(), "bool": pa.bool_()}
    table = pa.table(
        {
            f"{kind} {i}": pa.array(
                data.draw(st.lists(st.one_of(st.none(), CELLS[kind]), min_size=n, max_size=n)), types[kind]
            )
            for i, kind in enumerate(kinds)
        }
    )
    k = data.draw(st.integers(2, n - 1))
    method = data.draw(st.sampled_from(get_args(Method)))
    try:
        made = run(table, Parameters(k=k, seed=0, method=method, identifiers="replace"))
    except InvalidTable as refused:
        assert refused.code == "identifier"
        assert set(kinds) == {"text"}
        return
    assert made.avatars.schema == table.schema
    assert made.avatars.num_rows == n
    for name in table.column_names:
        if table[name].null_count == 0:
            assert made.avatars[name].null_count == 0


class Watcher:
    """Remembers what it was told and stops at a step."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.told: list[tuple[str, float]] = []
        self.stop_at = stop_at

    def report(self, step: str, done: float, total: float) -> None:
        self.told.append((step, completion(step, done, total)))

    def should_stop(self) -> bool:
        return bool(self.told) and self.told[-1][0] == self.stop_at


class Looker(Watcher):
    """Looks whether a table is still there, at each step."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__()
        self._table = weakref.ref(table)
        self.there: dict[str, bool] = {}

    def report(self, step: str, done: float, total: float) -> None:
        super().report(step, done, total)
        self.there[step] = self._table() is not None


def test_a_table_that_its_caller_has_let_go_of_is_gone_once_it_is_read() -> None:
    tables = [mixed_table(300)]
    looker = Looker(tables[0])
    run(tables.pop(), Parameters(k=5, seed=1), progress=looker)
    assert looker.there["reading the table"]
    assert not looker.there["finding neighbours"]
    assert not looker.there["drawing avatars"]


def test_progress_names_known_steps_in_order() -> None:
    watcher = Watcher()
    run(mixed_table(500, missing=0.1), Parameters(k=5, seed=1), progress=watcher)
    steps = [step for step, _ in watcher.told]
    assert set(steps) <= set(STEPS)
    firsts = list(dict.fromkeys(steps))
    assert firsts == [step for step in STEPS if step in firsts]
    assert firsts[0] == "reading the table"
    assert firsts[-1] == "casting back"


@pytest.mark.parametrize("step", ["reading the table", "finding neighbours", "drawing avatars"])
def test_a_run_can_be_cancelled_at_every_step(step: str) -> None:
    with pytest.raises(Cancelled):
        run(mixed_table(500), Parameters(k=5, seed=1), progress=Watcher(stop_at=step))
