"""Each figure against its definition, written out."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.evaluation.attacks.people import cohort, parted, tables

from avatars.engine.progress import Silent
from avatars.evaluation.attacks.copies import copies
from avatars.evaluation.attacks.figure import auc, auc_error, difference_figure, found_figure, threshold, wilson
from avatars.evaluation.attacks.inference import inference
from avatars.evaluation.attacks.linkage import linkage
from avatars.evaluation.attacks.membership import membership
from avatars.evaluation.attacks.regeneration import regeneration
from avatars.evaluation.attacks.rehearsal import Make, Rehearsal
from avatars.evaluation.attacks.shadow import learnt, shadow
from avatars.evaluation.attacks.singling_out import Condition, _combinations, _values, fits, singling_out
from avatars.evaluation.attacks.space import GRID, MISMATCH, Space

SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)


@given(SCORES, SCORES)
def test_an_auc_is_the_chance_that_a_member_scores_higher(members: list[float], others: list[float]) -> None:
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(members, others)]
    assert auc(np.array(members), np.array(others)) == pytest.approx(np.mean(wins))


@given(SCORES, st.sampled_from([0.0, 0.05, 0.3]))
def test_no_more_of_the_others_than_allowed_are_above_the_threshold(others: list[float], share: float) -> None:
    limit = threshold(np.array(others), share)
    assert np.mean(np.array(others) > limit) <= share
    assert limit in others


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson_bounds_solve_the_score_equation(hits: int, more: int) -> None:
    of = hits + more
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(hits / of - bound) == pytest.approx(1.6448536 * (bound * (1 - bound) / of) ** 0.5, rel=1e-4)


def test_a_standard_error_is_that_of_chance() -> None:
    random = np.random.default_rng(0)
    seen = [auc(random.normal(size=40), random.normal(size=60)) for _ in range(2000)]
    assert np.std(seen) == pytest.approx(auc_error(40, 60), rel=0.06)


def test_few_others_leave_the_threshold_in_doubt() -> None:
    random = np.random.default_rng(0)
    above = 0
    for _ in range(500):
        figure = found_figure("nearest_tpr5", random.normal(size=60), random.normal(size=60), 0.05)
        assert figure.low is not None
        above += figure.low > 0.12
    assert above <= 5  # where nothing is to be found, hardly any is found for sure


def test_a_difference_lies_within_its_bounds() -> None:
    figure = difference_figure("copies", 30, 100, 10, 100)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.value == pytest.approx(0.2)
    assert figure.low < 0.2 < figure.high


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_nearest_is_what_comparing_all_pairs_gives(seed: int, width: int) -> None:
    people, release = cohort(70, seed), cohort(90, seed + 1)
    people["ward"] = [f"w{i % 31}" for i in range(70)]  # more levels than are compared by a product
    release["ward"] = [f"w{i % 29}" for i in range(90)]
    attacked = tables(people, people, release)
    space = Space.of(attacked.release, attacked.members)
    here, there = space.place(attacked.members), space.place(attacked.release)
    squares = ((here.numbers[:, None] - there.numbers[None]) ** 2).sum(axis=2)
    squares += MISMATCH * (here.levels[:, None] != there.levels[None]).sum(axis=2)
    index, found = space.nearest(here, there, width)
    assert np.array_equal(found, np.sort(squares, axis=1)[:, :width])
    assert np.array_equal(np.take_along_axis(squares, index, axis=1), found)
    assert np.array_equal(space.squares(here, there), squares)
    parts = space.parts(here, there.take(index[:, 0]))
    assert np.array_equal(parts.sum(axis=1), found[:, 0])


def test_numbers_are_measured_in_standard_deviations_of_ranks() -> None:
    release = cohort(2000)
    attacked = tables(release, release, release)
    places = Space.of(attacked.release).place(attacked.release).numbers
    # Ties draw ranks in: a little under 1.
    assert np.all(np.abs(places[:, :2].std(axis=0) / (GRID / 12**0.5) - 1) < 0.02)


def test_copies_are_counted_beyond_those_by_chance() -> None:
    members, others = parted(300, 5, 2)
    release = others.copy()
    release.iloc[:60] = members.iloc[:60]
    copied, unique = copies(tables(members, others, release))
    assert copied.value == pytest.approx(60 / 300)
    # All of the others' records are in this release, but for the 60 that were overwritten.
    assert unique.value == pytest.approx(60 / 300 - 240 / 300)


def test_an_avatar_is_linked_to_the_nearest_record() -> None:
    members, others = parted(200, 6, 2)
    release = members.copy()
    release.iloc[:50] = members.iloc[50:100].to_numpy()
    linked, ratio = linkage(tables(members, others, release), 200, np.random.default_rng(0), linked=True)
    assert linked.value == pytest.approx(150 / 200)
    assert ratio.value == 0


def test_inference_is_the_advantage_over_others() -> None:
    members, others = parted(250, 7, 2)
    mean, worst = inference(tables(members, others, members), 500, np.random.default_rng(0))
    attacked = tables(members, others, members)
    space = Space.of(attacked.release, attacked.others)
    names = [column.name for column in attacked.columns]
    right = {}
    for who, people in (("members", members), ("others", others)):
        side = space.place(attacked.members if who == "members" else attacked.others)
        there = space.place(attacked.release)
        for name in names:
            numeric = [i for i in range(side.numbers.shape[1]) if space.names[i] != name]
            q = side.numbers.shape[1]
            levels = [i for i in range(side.levels.shape[1]) if space.names[q + i] != name]
            squares = ((side.numbers[:, None, numeric] - there.numbers[None][..., numeric]) ** 2).sum(axis=2)
            squares += MISMATCH * (side.levels[:, None, levels] != there.levels[None][..., levels]).sum(axis=2)
            guess, truth = members[name].to_numpy()[squares.argmin(axis=1)], people[name].to_numpy()
            if people[name].dtype.kind == "f":
                ok = np.abs(truth - guess) <= 0.1 * np.nanstd(truth)
                right[who, name] = (ok | (np.isnan(truth) & np.isnan(guess))).mean()
            else:
                right[who, name] = (guess == truth).mean()
    advantage = {name: right["members", name] - right["others", name] for name in names}
    assert mean.value == pytest.approx(np.mean(list(advantage.values())))
    assert worst.value == pytest.approx(max(advantage.values()))
    assert list(worst.columns) == [max(advantage, key=lambda name: advantage[name])]


def test_statements_are_true_of_one_avatar_alone() -> None:
    members, others = parted(200, 8, 2)
    attacked = tables(members, others, members)
    random = np.random.default_rng(0)
    statements = [*_values(attacked.release, random), *_combinations(attacked.release, random)]
    assert len(statements) > 500
    assert {fits(each, attacked.release) for each in statements} == {1}
    values, combinations = singling_out(attacked, 1000, random)
    # Of copies, each statement about one avatar is true of one member.
    for figure in (values, combinations):
        assert figure.value is not None
        assert figure.null is not None
        assert figure.value + figure.null == pytest.approx(1)


def test_missing_cells_are_said_of_those_who_miss_them() -> None:
    assert Condition("x", ">=", np.nan).holds(np.array([1.0, np.nan])).tolist() == [False, True]
    assert Condition("x", ">=", 1.0).holds(np.array([1.0, np.nan, 0.5])).tolist() == [True, False, False]


def test_people_who_stand_out_are_counted_and_never_under_five() -> None:
    members, others, fresh = parted(600, 9, 3)
    release = fresh.copy()
    release.iloc[:60] = members.iloc[:60].to_numpy()
    _, exposure = membership(tables(members, others, release.astype(members.dtypes)), 600, np.random.default_rng(0))
    assert exposure is not None
    assert exposure.exposed is not None
    assert 60 <= exposure.exposed <= 75
    assert exposure.by_chance == 6
    # A release of the others: no member is nearer to it than they are.
    _, nobody = membership(tables(members, others, others), 600, np.random.default_rng(0))
    assert nobody is not None
    assert nobody.exposed is None
    assert nobody.columns == {}


def test_what_sets_members_apart_is_named() -> None:
    members, others, fresh = parted(800, 10, 3)
    leaking = ["age", "weight", "marker", "pressure", "dose"]
    release = fresh.assign(**{name: members[name] for name in leaking})
    figures, exposure = membership(tables(members, others, release), 800, np.random.default_rng(0))
    assert exposure is not None
    assert list(figures[0].columns) == list(exposure.columns)
    assert set(list(exposure.columns)[:3]) <= set(leaking)
    assert sum(exposure.columns.get(name, 0) for name in leaking) > 0.8


def test_shadows_learn_what_sets_a_member_apart() -> None:
    random = np.random.default_rng(0)
    runs, n = 40, 300
    member = random.random((runs + 4, n)) < 0.5
    # Only the difference from a person's own level tells, and the second feature tells nothing.
    level = 10 * random.normal(size=(n, 1))
    seen = level + random.normal(size=(runs + 4, n, 2))
    seen[..., 0] += 2 * member
    scores = learnt(member[:runs], seen[:runs], seen[runs:])
    for inside, score in zip(member[runs:], scores, strict=True):
        # Two standard deviations apart: an AUC of PHI(sqrt 2) = .921.
        assert auc(score[inside], score[~inside]) == pytest.approx(0.92, abs=0.04)


def copied(table: pa.Table, seed: int) -> pa.Table:
    return table


def fresh(table: pa.Table, seed: int) -> pa.Table:
    return pa.Table.from_pandas(cohort(table.num_rows, 1000 + seed % 997), preserve_index=False)


@pytest.mark.parametrize(("make", "found"), [(copied, True), (fresh, False)])
def test_rehearsals_find_everybody_in_copies_and_nobody_in_fresh_people(make: Make, found: bool) -> None:
    members, others = parted(120, 11, 2)
    columns = tables(members, others, cohort(4000, 1)).columns
    people = [pa.Table.from_pandas(each, preserve_index=False) for each in (members, others)]
    rehearsal = Rehearsal.of(people[0], people[1], columns, make, 0)
    told, rate = shadow(rehearsal, Silent(), "step")
    linked = regeneration(rehearsal, Silent(), "step")
    assert told.value is not None
    assert linked.value is not None
    if found:
        assert told.value > 0.99
        assert rate.value is not None
        assert rate.value > 0.95
        assert linked.value == 1
    else:
        assert told.value == pytest.approx(0.5, abs=0.05)
        assert linked.value < 0.05
