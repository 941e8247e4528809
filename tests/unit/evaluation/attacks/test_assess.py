"""An assessment as callers have it: on tables of all sizes, with what it says, and what is refused."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.evaluation.attacks.people import cohort, known_bad, parted

import avatars
from avatars.engine.errors import Cancelled, EngineError, InvalidParameter, InvalidTable
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Silent
from avatars.evaluation.assess import assess
from avatars.evaluation.attacks.catalogue import FIGURES
from avatars.evaluation.attacks.figure import Figure, Verdict
from avatars.evaluation.gate import LIMITS, gate, judged
from avatars.evaluation.split import split


def table_of(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return cohort(700, 1)


def test_a_split_parts_everybody_once_and_depends_on_the_seed_alone() -> None:
    table = pa.table({"x": range(101)})
    members, others = (part["x"].to_pylist() for part in split(table, 3))
    assert (len(members), len(others)) == (51, 50)
    assert sorted(members + others) == list(range(101))
    assert members == split(table, 3)[0]["x"].to_pylist() != split(table, 4)[0]["x"].to_pylist()
    assert [part.num_rows for part in split(table, 3, most=40)] == [20, 20]


def test_anonymize_is_assessed_unless_it_is_told_not_to(people: pd.DataFrame) -> None:
    made = avatars.anonymize(people, seed=1)
    assert made.assessment is not None
    assert made.assessment.thoroughness == "quick"
    assert (made.assessment.rows, made.assessment.members, made.assessment.others) == (700, 350, 350)
    plain = avatars.anonymize(people, seed=1, assess=None)
    assert plain.assessment is None
    pd.testing.assert_frame_equal(plain.avatars, made.avatars)


def test_asking_again_is_no_second_chance(people: pd.DataFrame) -> None:
    first, second = (assess(table_of(people), Parameters(k=30, seed=seed)) for seed in (1, 2))
    assert first == second
    assert assess(table_of(people), Parameters(k=30), split_seed=5) != first


@pytest.mark.parametrize("rows", [3, 4, 30, 99])
def test_of_tiny_tables_nothing_is_said_and_no_warning_given(rows: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = assess(table_of(cohort(rows)), Parameters(k=3))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "attacks need 100" in str(found)


def test_under_300_rows_nothing_passes() -> None:
    found = assess(table_of(cohort(290)), Parameters())
    assert found.verdict in (Verdict.REVIEW, Verdict.BLOCK)


def test_k_is_lowered_to_what_half_of_the_table_allows() -> None:
    found = assess(table_of(cohort(240)), Parameters(k=200))
    assert found["nearest_auc"].value is not None
    assert "k was lowered to 119" in found.remarks[0]


def test_an_ugly_table_is_assessed() -> None:
    random = np.random.default_rng(0)
    frame = cohort(400).assign(
        constant=1,
        nothing=pd.Series([None] * 400, dtype="float64"),
        seen=pd.Timestamp("2024-02-29") + pd.to_timedelta(random.integers(0, 900, 400), unit="D"),
        code=[f"ä{i}" for i in random.integers(0, 300, 400)],
        name=[f"Zoë {i}" for i in range(400)],
    )
    frame = pd.concat([frame, frame.iloc[:40]], ignore_index=True)
    made = avatars.anonymize(frame, identifiers="replace", seed=1)
    assert made.assessment is not None
    assert made.assessment["nearest_auc"].value is not None, str(made.assessment)


def test_thorough_tries_every_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether they find what they should is tested elsewhere; here fewer releases will do.
    monkeypatch.setattr("avatars.evaluation.attacks.shadow.RUNS", 8)
    monkeypatch.setattr("avatars.evaluation.attacks.shadow.TESTS", 2)
    monkeypatch.setattr("avatars.evaluation.attacks.regeneration.RUNS", 4)
    found = assess(table_of(cohort(250)), Parameters(), "thorough")
    assert {figure.name for figure in found.figures} | {"nearest_tpr", "nearest_tpr5"} == set(FIGURES)
    assert found["shadow_auc"].value is not None
    assert found["linkage_regenerated"].value is not None


def test_any_maker_of_releases_can_be_assessed(people: pd.DataFrame) -> None:
    def independent(table: pa.Table, seed: int) -> pa.Table:
        random = np.random.default_rng(seed)
        return pa.table(
            {name: table[name].take(random.integers(0, len(table), len(table))) for name in table.schema.names}
        )

    found = assess(table_of(people), Parameters(), make=independent)
    assert found["nearest_auc"].verdict is Verdict.PASS
    # No attack finds anything, and nothing is left that anybody could use.
    assert found.verdict is Verdict.REVIEW
    assert "What tells nothing passes every attack" in found.reasons[0]
    assert "Too little is left" in found.advice[0]
    assert assess(table_of(people), Parameters(), make=lambda table, _: table).verdict is Verdict.BLOCK


def test_an_assessment_says_everything_in_plain_values(people: pd.DataFrame) -> None:
    members, others = parted(300, 2, 2)
    found = avatars.attack(members, known_bad("noise", members, 0), holdout=others)
    said = json.loads(json.dumps(found.to_dict()))
    assert said["verdict"] == "BLOCK"
    nearest = next(figure for figure in said["figures"] if figure["name"] == "nearest_auc")
    assert nearest["value"] > 0.9
    assert nearest["attacker"].startswith("holds the release")
    assert "remove or coarsen" in " ".join(said["advice"])
    assert "The attacker holds the release" in found.reasons[0]
    # Linking, and making more, take what was not given.
    assert found["shadow_auc"].value is None


def test_no_cell_is_in_what_is_said() -> None:
    members, others = (each.assign(code="Sekret") for each in parted(300, 3, 2))
    found = avatars.attack(members, members, holdout=others)
    assert "Sekret" not in json.dumps(found.to_dict())


def test_the_same_on_any_number_of_threads(people: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    before = assess(table_of(people), Parameters())
    monkeypatch.setattr("avatars.engine.batches.default_threads", lambda: 1)
    assert assess(table_of(people), Parameters()) == before


def test_held_out_people_who_are_among_the_members_are_refused() -> None:
    members, others = parted(200, 4, 2)
    with pytest.raises(InvalidTable, match="held-out people are among the members") as refusal:
        avatars.attack(members, others, holdout=pd.concat([others, members.iloc[:40]]))
    assert refusal.value.code == "overlapping_people"
    # People of few levels coincide by chance: they are no overlap.
    few = ["sex", "arm"]
    avatars.attack(members[few], others[few], holdout=others[few], thoroughness="quick")


def test_held_out_people_unlike_the_members_decide_nothing() -> None:
    members, others, fresh = parted(600, 5, 3)
    unlike = pd.concat([others, others]).reset_index(drop=True)
    unlike.loc[300:, ["age", "weight", "dose"]] = 0.0
    random = np.random.default_rng(0)
    unlike = unlike.iloc[random.permutation(len(unlike))]
    unlike["age"] += random.integers(0, 2, len(unlike))
    found = avatars.attack(members, fresh, holdout=unlike, thoroughness="quick")
    assert found.verdict is Verdict.INCONCLUSIVE, str(found)
    assert "not like the members" in found.reasons[0]
    # Copies are copies, whoever is held out.
    assert avatars.attack(members, members, holdout=unlike, thoroughness="quick").verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda frame: frame.drop(columns="age"), "different_columns"),
        (lambda frame: frame.assign(more=1), "different_columns"),
        (lambda frame: frame.assign(age=["x"] * len(frame)), "different_types"),
        (lambda frame: frame.iloc[:0], "empty_table"),
    ],
)
def test_other_tables_are_refused_in_a_sentence(change: object, code: str) -> None:
    members, others = parted(60, 6, 2)
    for synthetic, holdout in ((change(members), others), (members, change(others))):  # type: ignore[operator]
        with pytest.raises(EngineError) as refusal:
            avatars.attack(members, synthetic, holdout=holdout)
        assert refusal.value.code == code


def test_unknown_thoroughness_is_refused_before_work(people: pd.DataFrame) -> None:
    for call in (
        lambda: avatars.anonymize(people, assess="careful"),  # type: ignore[arg-type]
        lambda: avatars.attack(people, people, holdout=people, thoroughness="careful"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidParameter, match="must be one of quick, thorough"):
            call()


def test_an_assessment_can_be_cancelled(people: pd.DataFrame) -> None:
    class Impatient(Silent):
        def should_stop(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        assess(table_of(people), Parameters(), progress=Impatient())


def figure(name: str, value: float, low: float, high: float, people: int = 1000, others: int = 1000) -> Figure:
    return Figure(name, value, low, high, people=people, others=others)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (figure("nearest_auc", 0.52, 0.50, 0.54), Verdict.PASS),
        (figure("nearest_auc", 0.54, 0.49, 0.59), Verdict.REVIEW),
        (figure("nearest_auc", 0.60, 0.57, 0.63), Verdict.REVIEW),
        (figure("nearest_auc", 0.60, 0.585, 0.62), Verdict.BLOCK),
        (figure("nearest_auc", 0.52, 0.45, 0.57, people=60), Verdict.INCONCLUSIVE),
        (figure("nearest_auc", 0.90, 0.80, 0.99, people=60), Verdict.BLOCK),
        (figure("inference_worst", 0.2, 0.1, 0.3), Verdict.PASS),
        (figure("inference_worst", 0.4, 0.3, 0.5), Verdict.REVIEW),
        (figure("copies", 0.05, 0.03, 0.07), Verdict.REVIEW),
    ],
)
def test_the_gate_judges_a_figure_by_its_bounds(given: Figure, verdict: Verdict) -> None:
    assert judged(given).verdict is verdict


def test_the_worst_figure_decides_and_too_few_people_never_pass() -> None:
    def said(*figures: Figure, rows: int = 2000) -> Verdict:
        return gate(figures, None, about="", rows=rows, members=1000, others=1000).verdict

    good, bad = figure("nearest_auc", 0.51, 0.49, 0.53), figure("copies", 0.70, 0.65, 0.75)
    so_so = figure("density_auc", 0.60, 0.57, 0.63)
    assert said(good) is Verdict.PASS
    assert said(good, so_so) is Verdict.REVIEW
    assert said(good, so_so, bad) is Verdict.BLOCK
    assert said(good, rows=299) is Verdict.REVIEW
    assert said(so_so) is Verdict.INCONCLUSIVE
    assert said(Figure("nearest_auc", None, reason="too few")) is Verdict.INCONCLUSIVE


def test_where_attacks_find_too_much_and_too_little_is_left_no_k_is_advised() -> None:
    def advice(*figures: Figure) -> str:
        return " ".join(gate(figures, None, about="", rows=2000, members=1000, others=1000).advice)

    good, bad = figure("nearest_auc", 0.51, 0.49, 0.53), figure("nearest_auc", 0.9, 0.8, 0.95)
    useless = Figure("bivariate_accuracy", 0.5, null=0.9, people=1000, others=1000, verdict=Verdict.REVIEW)
    assert advice(bad) == "Raise k."
    assert "from fewer people" in advice(good, useless)
    both = advice(bad, useless)
    assert "another k" in both
    assert "Raise k" not in both
    assert "from fewer people" not in both


def test_every_limit_is_of_a_figure_that_there_is() -> None:
    assert set(LIMITS) | {"distance_ratio", "bivariate_accuracy", "association_difference"} == set(FIGURES)
