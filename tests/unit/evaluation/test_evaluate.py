"""All metrics of a pair of tables."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.tables import mixed_table
from tests.unit.evaluation.pairs import pairs

from avatars.engine.errors import InvalidParameter, InvalidTable
from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from avatars.evaluation.catalogue import DEFINITIONS, PRIVACY, UTILITY
from avatars.evaluation.evaluate import Evaluation, PrivacyMetrics, SignalMetrics, evaluate, evaluate_run
from avatars.evaluation.metric import Metric
from avatars.evaluation.request import Request

ANY = Parameters(k=2)
EVERYTHING = Request(known_variables=["height", "ward"], target="weight", thorough=True)


def not_computed(evaluation: Evaluation) -> dict[str, str]:
    return {metric.name: metric.reason or "" for metric in evaluation.metrics if metric.value is None}


def assert_every_metric_is_there(evaluation: Evaluation) -> None:
    assert [metric.name for metric in evaluation.metrics] == list(DEFINITIONS)
    for metric in evaluation.metrics:
        assert (metric.value is None) == bool(metric.reason)
        figures = [metric.value or 0.0, *metric.parts.values()]
        if metric.baseline is not None:
            figures += [metric.baseline.value, metric.baseline.same_rows or 0.0]
        assert np.isfinite(figures).all(), metric


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_run_and_its_tables_are_judged_alike(missing: float) -> None:
    table = mixed_table(400, missing=missing)
    made = run(table, Parameters(k=10, seed=1))
    again = evaluate(table, made.sensitive_unshuffled_avatars, Parameters(k=10, seed=1))
    assert evaluate_run(made) == again


def test_a_run_is_judged_by_what_costs_little_and_the_rest_says_how_to_get_it() -> None:
    evaluation = evaluate_run(run(mixed_table(400), Parameters(k=10, seed=1)))
    assert_every_metric_is_there(evaluation)
    reasons = not_computed(evaluation)
    assert set(reasons) == {
        "correlation_protection_rate", "inference_continuous", "inference_categorical", "univariate_accuracy",
        "bivariate_accuracy", "trivariate_accuracy", "association_difference", "discriminator_auc", "prediction_score",
    }  # fmt: skip
    assert "known_variables" in reasons["inference_continuous"]
    assert "avatars.evaluate" in reasons["bivariate_accuracy"]


def test_everything_can_be_asked_for() -> None:
    table = mixed_table(400, missing=0.05)
    avatars = run(table, Parameters(k=10, seed=1)).sensitive_unshuffled_avatars
    held_out = mixed_table(100, seed=9, missing=0.05)
    evaluation = evaluate(table, avatars, ANY, request=EVERYTHING, held_out=held_out)
    assert_every_metric_is_there(evaluation)
    assert set(not_computed(evaluation)) == {"inference_categorical"}
    beside = {metric.name for metric in evaluation.metrics if metric.baseline is not None}
    assert beside == set(DEFINITIONS) - {
        "local_cloaking", "column_direct_match_protection", "correlation_protection_rate", "inference_categorical",
        "hellinger_std",
    }  # fmt: skip
    # People who are not in the table are further from the avatars' originals than the avatars are.
    distance = evaluation["distance_to_closest"]
    assert distance.baseline is not None
    assert distance.value is not None
    assert distance.value < distance.baseline.value
    assert evaluation.remarks == ()


def test_the_worst_come_first() -> None:
    table = mixed_table(400)
    ward = table.set_column(5, "ward", pa.array(["A"] * 400))
    evaluation = evaluate(table, ward, ANY, request=EVERYTHING)
    assert next(iter(evaluation["hellinger_mean"].parts)) == ("ward",)
    assert next(iter(evaluation["univariate_accuracy"].parts)) == ("ward",)
    assert "ward" in next(iter(evaluation["trivariate_accuracy"].parts))
    protection = evaluation["column_direct_match_protection"]
    assert protection.value == min(protection.parts.values()) == next(iter(protection.parts.values()))


def test_of_shuffled_avatars_only_what_needs_no_link_is_computed_and_it_is_the_same() -> None:
    table = mixed_table(400)
    made = run(table, Parameters(k=10, seed=1))
    linked = evaluate(table, made.sensitive_unshuffled_avatars, ANY, request=EVERYTHING)
    shuffled = Request(known_variables=["height", "ward"], target="weight", thorough=True, shuffled=True)
    published = evaluate(table, made.avatars, ANY, request=shuffled)
    assert_every_metric_is_there(published)
    lost = {name for name, reason in not_computed(published).items() if "shuffled" in reason}
    assert lost == {name for name, definition in DEFINITIONS.items() if definition.needs_link}
    for metric in published.metrics:
        # Who is learnt from, and which rows stand together on fewer rows, depends on the order.
        if metric.value is not None and metric.name not in ("discriminator_auc", "prediction_score"):
            assert metric.value == pytest.approx(linked[metric.name].value), metric.name
    with pytest.raises(InvalidParameter, match="closest_rate"):
        _ = published.privacy_metrics
    assert published.signal_metrics.hellinger_mean == pytest.approx(linked.signal_metrics.hellinger_mean)


def test_shuffled_avatars_may_be_more_or_fewer() -> None:
    table = mixed_table(300)
    for rows in (10, 900):
        published = evaluate(table, mixed_table(rows, seed=1), ANY, request=Request(shuffled=True, thorough=True))
        assert_every_metric_is_there(published)


def test_avatars_in_another_order_than_said_are_remarked() -> None:
    table = mixed_table(400)
    made = run(table, Parameters(k=10, seed=1))
    assert evaluate(table, made.sensitive_unshuffled_avatars, ANY).remarks == ()
    (remark,) = evaluate(table, made.avatars, ANY).remarks
    assert "if the avatars are shuffled, say so" in remark
    assert evaluate(table, made.avatars, ANY, request=Request(shuffled=True)).remarks == ()


def test_avatars_of_another_table_are_remarked() -> None:
    table = mixed_table(400)
    taller = table.set_column(0, "height", pa.array(table["height"].to_numpy() + 500))
    (remark,) = evaluate(table, taller, ANY).remarks
    assert "check that these are avatars of this table" in remark


def test_large_k_is_no_reason_to_remark() -> None:
    table = mixed_table(400)
    made = run(table, Parameters(k=200, seed=1))
    assert evaluate(table, made.sensitive_unshuffled_avatars, ANY).remarks == ()


def test_copies_score_as_copies() -> None:
    table = mixed_table(300)
    metrics = evaluate(table, table, ANY, request=EVERYTHING)
    assert metrics.privacy_metrics.hidden_rate < 1
    assert metrics.privacy_metrics.distance_to_closest == 0
    assert metrics.privacy_metrics.closest_rate == 0
    assert metrics.privacy_metrics.row_direct_match_protection == 0
    assert metrics.signal_metrics.hellinger_mean == pytest.approx(0, abs=1e-7)
    assert metrics.signal_metrics.correlation_difference_ratio == pytest.approx(0)
    assert metrics.signal_metrics.trivariate_accuracy == pytest.approx(1)
    assert metrics.signal_metrics.association_difference == pytest.approx(0)


def test_the_metrics_are_finite_for_degenerate_tables() -> None:
    for table in (pa.table({"x": [1.0] * 6}), pa.table({"x": ["a", "b"] * 3}), pa.table({"x": range(6)})):
        assert_every_metric_is_there(evaluate_run(run(table, Parameters(k=2, seed=1))))


@settings(max_examples=15, deadline=None)
@given(pairs(), pairs(), st.sampled_from(["x", "c"]), st.booleans())
def test_the_metrics_are_finite_for_any_tables(
    pair: tuple[pa.Table, pa.Table], other: tuple[pa.Table, pa.Table], target: str, shuffled: bool
) -> None:
    request = Request(known_variables=["y", "d"], target=target, thorough=True, shuffled=shuffled)
    for held_out in (None, other[0]):
        assert_every_metric_is_there(evaluate(*pair, ANY, request=request, held_out=held_out))


def test_the_values_are_also_attributes_by_the_names_of_the_catalogue() -> None:
    evaluation = evaluate(mixed_table(100), mixed_table(100), ANY)
    assert list(asdict(evaluation.privacy_metrics)) == list(PRIVACY) == list(PrivacyMetrics.__dataclass_fields__)
    assert list(asdict(evaluation.signal_metrics)) == list(UTILITY) == list(SignalMetrics.__dataclass_fields__)
    assert evaluation.privacy_metrics.closest_rate == evaluation["closest_rate"].value
    with pytest.raises(KeyError):
        _ = evaluation["anonymity"]


def test_a_metric_knows_its_target_and_says_what_it_is() -> None:
    assert Metric("hidden_rate", 91.0).reaches_target
    assert Metric("hellinger_mean", 0.2).reaches_target is False
    assert Metric("discriminator_auc", 0.6).reaches_target is None
    assert str(Metric("hidden_rate", 91.0)) == "hidden_rate: 91.000 (target > 90)"
    assert str(Metric("hidden_rate", None, "why")) == "hidden_rate: not computed: why"
    assert Metric("hidden_rate", 91.0).criterion == "linkability"
    assert Metric("hellinger_mean", 0.2).attacker is None


def test_levels_that_only_avatars_have_are_judged() -> None:
    table = mixed_table(100)
    other = table.set_column(5, "ward", pa.array(["Z"] * 100))
    assert evaluate(table, other, ANY).signal_metrics.hellinger_mean > 0.1


TABLE = mixed_table(100)


@pytest.mark.parametrize(
    ("avatars", "code", "says"),
    [
        (TABLE.drop_columns(["ward"]), "different_columns", "lack the column.* 'ward'"),
        (TABLE.append_column("extra", pa.nulls(100)), "different_columns", "have the column.* 'extra'"),
        (mixed_table(99), "different_rows", "100 rows and the avatars 99"),
        (TABLE.slice(0, 0), "empty_table", "no rows among the avatars"),
        (TABLE.append_column("ward", TABLE["ward"]), "duplicate_columns", "avatars have 2 columns called 'ward'"),
        (TABLE.set_column(0, "height", pa.array(["tall"] * 100)), "different_types", "'height'"),
    ],
    ids=["fewer columns", "more columns", "fewer rows", "no rows", "a label twice", "another type"],
)
def test_tables_that_do_not_fit_are_refused(avatars: pa.Table, code: str, says: str) -> None:
    with pytest.raises(InvalidTable, match=says) as refused:
        evaluate(TABLE, avatars, ANY)
    assert refused.value.code == code


def test_held_out_people_who_are_in_the_table_are_doubted() -> None:
    (remark,) = evaluate(TABLE, TABLE, ANY, held_out=TABLE.slice(0, 30)).remarks
    assert remark.startswith("30 of the 30 held-out people are among the originals")
    assert evaluate(TABLE, TABLE, ANY, held_out=mixed_table(100, seed=9, missing=0.05)).remarks == ()


def test_held_out_people_must_fit_too_and_two_originals_are_too_few() -> None:
    with pytest.raises(InvalidTable, match=r"held-out people lack the column.* 'ward'"):
        evaluate(TABLE, TABLE, ANY, held_out=TABLE.drop_columns(["ward"]))
    with pytest.raises(InvalidTable, match="at least 3"):
        evaluate(TABLE.slice(0, 2), TABLE.slice(0, 2), ANY)
    assert_every_metric_is_there(evaluate(TABLE.slice(0, 3), TABLE.slice(0, 3), ANY, request=EVERYTHING))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(known_variables=["hight"]), "known_variables: .* did you mean 'height'"),
        (Request(known_variables="height"), "known_variables must be a list"),
        (Request(target="wieght"), "target: .* did you mean 'weight'"),
        (Request(known_variables=["height"], target="height"), "'height' is the target and among the known"),
        (Request(categorical_hidden_rate_variables=["height"]), "'height' is numbers"),
        (Request(closest_rate_percentage_threshold=101), "closest_rate_percentage_threshold .* 0 to 100"),
        (Request(closest_rate_ratio_threshold=float("nan")), "closest_rate_ratio_threshold .* 0 to 1"),
    ],
    ids=["unknown", "no list", "unknown target", "known target", "numbers", "percentage", "ratio"],
)
def test_what_cannot_be_asked_is_refused(request_: Request, says: str) -> None:
    with pytest.raises(InvalidParameter, match=says):
        evaluate(TABLE, TABLE, ANY, request=request_)


def test_thresholds_and_variables_reach_their_metrics() -> None:
    avatars = run(TABLE, Parameters(k=10, seed=1)).sensitive_unshuffled_avatars
    strict = Request(closest_rate_percentage_threshold=100, closest_rate_ratio_threshold=1)
    assert evaluate(TABLE, avatars, ANY, request=strict)["closest_rate"].value == pytest.approx(0, abs=5)
    by_ward = evaluate(TABLE, avatars, ANY, request=Request(categorical_hidden_rate_variables=["ward"]))
    assert by_ward["categorical_hidden_rate"].note == "by 'ward'"
    by_all = evaluate(TABLE, avatars, ANY)["categorical_hidden_rate"].value
    assert by_ward["categorical_hidden_rate"].value != by_all


def test_column_order_and_number_types_may_differ() -> None:
    avatars = TABLE.select(TABLE.column_names[::-1])
    avatars = avatars.set_column(avatars.column_names.index("visits"), "visits", avatars["visits"].cast(pa.float64()))
    assert evaluate(TABLE, avatars, ANY) == evaluate(TABLE, TABLE, ANY)


def test_whole_numbers_may_come_back_with_decimals() -> None:
    avatars = TABLE.set_column(2, "visits", pa.array(TABLE["visits"].to_numpy() + 0.25))
    protection = evaluate(TABLE, avatars, ANY)["column_direct_match_protection"]
    assert protection.parts[("visits",)] == 100


def test_dates_have_no_relative_error() -> None:
    dates = TABLE.append_column("born", pa.array(np.arange(100).astype("datetime64[D]")))
    request = Request(known_variables=["height"], target="born")
    reason = evaluate(dates, dates, ANY, request=request)["inference_continuous"].reason
    assert reason is not None
    assert "dates" in reason
