"""Avatars in this process: what a data scientist calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import avatars
from avatars.engine.errors import AvatarsWarning, InvalidParameter, InvalidTable
from avatars.models import ImputationParameters, ImputeMethod

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"


def iris() -> pd.DataFrame:
    return pd.read_csv(IRIS)


def test_the_quickstart() -> None:
    df = iris()
    result = avatars.anonymize(df, k=20, seed=1)
    assert list(result.avatars.columns) == list(df.columns)
    assert (result.avatars.dtypes == df.dtypes).all()
    assert len(result.avatars) == len(result.sensitive_unshuffled_avatars) == 150
    assert result.privacy_metrics.hidden_rate > 80
    assert result.signal_metrics.hellinger_mean < 0.3


def test_a_seed_makes_it_reproducible_and_the_frame_is_left_alone() -> None:
    df = iris()
    before = df.copy(deep=True)
    first = avatars.anonymize(df, k=10, seed=1)
    pd.testing.assert_frame_equal(first.avatars, avatars.anonymize(df, k=10, seed=1).avatars)
    pd.testing.assert_frame_equal(df, before)
    assert first.seed == 1


def test_the_index_is_neither_used_nor_kept() -> None:
    df = iris()
    named = df.set_index(pd.Index([f"patient {i}" for i in range(150)]))
    out = avatars.anonymize(named, k=10, seed=1).avatars
    assert list(out.index) == list(range(150))
    pd.testing.assert_frame_equal(out, avatars.anonymize(df, k=10, seed=1).avatars)


def test_evaluate_says_the_same_of_the_pair() -> None:
    df = iris()
    result = avatars.anonymize(df, k=20, seed=1)
    metrics = avatars.evaluate(df, result.sensitive_unshuffled_avatars, ncp=5, thorough=False)
    assert metrics.privacy_metrics == result.privacy_metrics
    assert metrics.signal_metrics == result.signal_metrics


def test_evaluate_warns_of_avatars_in_another_order_and_knows_them_when_told() -> None:
    people = iris().rename(columns={"variety": 5})
    held_out = people.sample(50, random_state=1)
    df = people.drop(held_out.index)
    result = avatars.anonymize(df, k=20, seed=1)
    with pytest.warns(AvatarsWarning, match="if the avatars are shuffled, say so"):
        avatars.evaluate(df, result.avatars, thorough=False)
    told = avatars.evaluate(
        df, result.avatars, shuffled=True, holdout=held_out, known_variables=[5], target="petal.width"
    )
    assert told["hidden_rate"].value is None
    inferred = told["inference_continuous"]
    assert inferred.baseline is not None
    assert inferred.baseline.what == "held-out people"
    with pytest.raises(InvalidParameter, match="known_variables must be a list"):
        avatars.evaluate(df, result.avatars, known_variables="petal.width")


def test_imputation_by_mapping_or_model() -> None:
    df = iris()
    df.loc[::7, "petal.length"] = np.nan
    by_mapping = avatars.anonymize(df, k=10, seed=1, imputation={"method": "knn", "k": 3}).avatars
    model = ImputationParameters(method=ImputeMethod.knn, k=3)
    pd.testing.assert_frame_equal(avatars.anonymize(df, k=10, seed=1, imputation=model).avatars, by_mapping)
    assert by_mapping["petal.length"].isna().any()


def test_labels_need_not_be_text() -> None:
    df = iris().rename(columns={"sepal.length": 1, "variety": ("a", "b")})
    out = avatars.anonymize(df, k=10, seed=1, column_weights={1: 2.0}, types={("a", "b"): "category"}).avatars
    assert list(out.columns) == list(df.columns)


def test_ncp_beyond_the_table_is_clamped_with_a_warning() -> None:
    with pytest.warns(AvatarsWarning, match="ncp is 50"):
        avatars.anonymize(iris(), k=10, seed=1, ncp=50)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"k": 150}, InvalidParameter, "k must be at most 149"),
        ({"k": 1}, InvalidParameter, "2 or more"),
        ({"k": 15, "column_weights": {"variaty": 2.0}}, InvalidParameter, "did you mean 'variety'"),
        ({"k": 15, "types": {"variaty": "category"}}, InvalidParameter, "did you mean 'variety'"),
        ({"k": 15, "types": {"variety": "text"}}, InvalidParameter, "one of int, float, bool"),
        ({"k": 15, "types": {"variety": "float"}}, InvalidTable, "'variety'"),
        ({"k": 15, "imputation": {"methode": "knn"}}, InvalidParameter, "'methode'"),
        ({"k": 15, "imputation": {"method": "magic"}}, InvalidParameter, "knn, fast_knn"),
        ({"k": 15, "to_categorical_threshold": 0}, InvalidParameter, "1 or more"),
        ({"k": 15, "to_categorical_threshold": 1.5}, InvalidParameter, "whole number"),
        ({"k": 15, "method": "magic"}, InvalidParameter, "avatar"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(
    arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        avatars.anonymize(iris(), **arguments)  # type: ignore[arg-type]


def test_refusals_hold_no_cell() -> None:
    df = pd.DataFrame({"secret": ["Jean Dupont", 3, 2.5, None] * 5})
    with pytest.raises(InvalidTable) as refused:
        avatars.anonymize(df, k=3)
    assert "secret" in str(refused.value)
    assert "Dupont" not in str(refused.value)


def test_importing_the_package_loads_no_engine() -> None:
    code = "import sys, avatars, avatars.models; sys.exit(any(m in sys.modules for m in ('numpy', 'pandas', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_estimate_is_given_before_anything_is_done() -> None:
    said = avatars.estimate(iris(), k=20, types={"variety": "category"})
    assert said.rows == 150
    assert said.columns == 5
    assert 10**7 < said.memory < 10**9
    with pytest.raises(InvalidParameter):
        avatars.estimate(iris(), k=20, types={"flower": "category"})


def test_k_can_be_the_smallest_that_attacks_let_pass() -> None:
    random = np.random.default_rng(0)
    people = pd.DataFrame(random.normal(size=(500, 5)) @ random.normal(size=(5, 5)), columns=list("abcde"))
    result = avatars.anonymize(people, k="auto", seed=1, assess=None, progress=False)
    assert result.choice is not None
    assert result.choice.is_confirmed
    chosen = avatars.anonymize(people, k=result.choice.k, seed=1, assess=None, progress=False)
    assert chosen.choice is None
    pd.testing.assert_frame_equal(result.avatars, chosen.avatars)
