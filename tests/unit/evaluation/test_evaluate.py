"""All metrics of a pair of tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.engine.tables import mixed_table

from avatars.engine.errors import InvalidTable
from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from avatars.evaluation.evaluate import evaluate, evaluate_run


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_run_and_its_tables_are_judged_alike(missing: float) -> None:
    table = mixed_table(400, missing=missing)
    made = run(table, Parameters(k=10, seed=1))
    again = evaluate(table, made.sensitive_unshuffled_avatars, Parameters(k=10, seed=1))
    assert evaluate_run(made) == again


def test_copies_score_as_copies() -> None:
    table = mixed_table(300)
    metrics = evaluate(table, table, Parameters(k=2))
    assert metrics.privacy_metrics.hidden_rate < 1
    assert metrics.privacy_metrics.distance_to_closest == 0
    assert metrics.signal_metrics.hellinger_mean == pytest.approx(0, abs=1e-7)
    assert metrics.signal_metrics.correlation_difference_ratio == pytest.approx(0)


def test_the_metrics_are_finite_for_degenerate_tables() -> None:
    for table in (pa.table({"x": [1.0] * 6}), pa.table({"x": ["a", "b"] * 3}), pa.table({"x": range(6)})):
        metrics = evaluate_run(run(table, Parameters(k=2, seed=1)))
        figures = [*vars(metrics.privacy_metrics).values(), metrics.signal_metrics.hellinger_mean]
        assert np.isfinite(figures).all()


def test_levels_that_only_avatars_have_are_judged() -> None:
    table = mixed_table(100)
    other = table.set_column(5, "ward", pa.array(["Z"] * 100))
    assert evaluate(table, other, Parameters(k=2)).signal_metrics.hellinger_mean > 0.1


@pytest.mark.parametrize(
    ("avatars", "code", "says"),
    [
        (mixed_table(100).drop_columns(["ward"]), "different_columns", "lack the column.* 'ward'"),
        (mixed_table(100).append_column("extra", pa.nulls(100)), "different_columns", "have the column.* 'extra'"),
        (mixed_table(99), "different_rows", "100 rows and the avatars 99"),
        (mixed_table(100).set_column(0, "height", pa.array(["tall"] * 100)), "different_types", "'height'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(avatars: pa.Table, code: str, says: str) -> None:
    with pytest.raises(InvalidTable, match=says) as refused:
        evaluate(mixed_table(100), avatars, Parameters(k=2))
    assert refused.value.code == code


def test_column_order_and_number_types_may_differ() -> None:
    table = mixed_table(100)
    avatars = table.select(table.column_names[::-1])
    avatars = avatars.set_column(avatars.column_names.index("visits"), "visits", avatars["visits"].cast(pa.float64()))
    assert evaluate(table, avatars, Parameters(k=2)) == evaluate(table, table, Parameters(k=2))
