"""What the attacker infers, against the attack written out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.tables import mixed_table

from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from avatars.evaluation.evaluate import evaluate
from avatars.evaluation.privacy.inference import error
from avatars.evaluation.request import Request

LINES = st.lists(st.tuples(st.integers(-50, 50), st.integers(-3, 3)), min_size=4, max_size=30)


def table(lines: list[tuple[int, int]]) -> pa.Table:
    known, target = zip(*lines, strict=True)
    return pa.table({"known": pa.array(known, pa.float64()), "n": pa.array(target, pa.float64())}).append_column(
        "c", pa.array([f"level {value}" for value in target])
    )


def inferred(original: pa.Table, avatars: pa.Table, target: str, held_out: pa.Table | None = None) -> float:
    request = Request(known_variables=["known"], target=target, shuffled=True)
    evaluation = evaluate(original, avatars, Parameters(k=2), request=request, held_out=held_out)
    value = evaluation["inference_continuous" if target == "n" else "inference_categorical"].value
    assert value is not None
    return value


@settings(max_examples=50, deadline=None)
@given(LINES, LINES)
def test_the_attack_takes_the_nearest_avatars(lines: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    original, avatars = table(lines), table(others)
    known, theirs = (np.array([line[0] for line in each]) for each in (lines, others))
    targets = np.array([line[1] for line in others])
    if len(set(known)) == 1:
        return  # every avatar is equally near
    far = np.abs(known[:, None] - theirs[None])
    nearest = far == far.min(axis=1, keepdims=True)
    # Two places may be equally near: then either may answer.
    clear = np.array([len(set(theirs[row])) == 1 for row in nearest])
    if not clear.all():
        return
    truth = np.array([line[1] for line in lines], dtype=float)
    means = np.array([targets[row].mean() for row in nearest])
    sizes = np.abs(means) + np.abs(truth)
    expected = np.mean(np.where(sizes > 0, 200 * np.abs(means - truth) / np.where(sizes > 0, sizes, 1), 0))
    assert inferred(original, avatars, "n") == pytest.approx(expected)
    # The majority; of equally frequent levels any may be taken.
    best, worst = [], []
    for row, true in zip(nearest, truth, strict=True):
        levels, counts = np.unique(targets[row], return_counts=True)
        winners = levels[counts == counts.max()]
        best.append(true in winners)
        worst.append(list(winners) == [true])
    assert 100 - 100 * np.mean(best) <= inferred(original, avatars, "c") + 1e-9
    assert inferred(original, avatars, "c") - 1e-9 <= 100 - 100 * np.mean(worst)


def test_the_error_is_as_defined() -> None:
    guesses, truth = np.array([0.0, 1.0, -1.0, 3.0]), np.array([0.0, 3.0, 1.0, 3.0])
    assert error(guesses, truth, is_number=True) == pytest.approx((0 + 100 + 200 + 0) / 4)
    assert error(guesses, truth, is_number=False) == pytest.approx(50)


def test_copies_give_everything_away_and_the_order_does_not_matter() -> None:
    random = np.random.default_rng(0)
    original = table([(int(value), int(value) % 5) for value in random.permutation(200)])
    avatars = original.take(random.permutation(200))
    assert inferred(original, avatars, "n") == 0
    assert inferred(original, avatars, "c") == 0


def test_the_baseline_is_the_attack_trained_on_held_out_people_or_a_constant_guess() -> None:
    original, held_out = mixed_table(300, seed=1), mixed_table(120, seed=2)
    avatars = run(original, Parameters(k=10, seed=1)).avatars
    request = Request(known_variables=["height", "sex"], target="weight", shuffled=True)
    alone = evaluate(original, avatars, Parameters(k=2), request=request)["inference_continuous"]
    assert alone.baseline is not None
    weight = original["weight"].to_numpy()
    guess = np.median(avatars["weight"].to_numpy())
    expected = np.mean(200 * np.abs(weight - guess) / (weight + guess))
    assert alone.baseline.what == "the avatars' median"
    assert alone.baseline.value == pytest.approx(expected)
    beside = evaluate(original, avatars, Parameters(k=2), request=request, held_out=held_out)["inference_continuous"]
    assert beside.value == alone.value
    assert beside.baseline is not None
    assert beside.baseline.what == "held-out people"
    attack = evaluate(original, held_out, Parameters(k=2), request=request)["inference_continuous"]
    assert beside.baseline.value == pytest.approx(attack.value)
    assert beside.baseline.value < alone.baseline.value


def test_missing_targets_are_left_out() -> None:
    original = pa.table({"known": [1.0, 2.0, 3.0, 4.0], "n": [10.0, None, 30.0, 40.0]})
    avatars = pa.table({"known": [1.0, 2.0, 3.0, 4.1], "n": [10.0, 99.0, None, 40.0]})
    # The third record's nearest avatar with a target is the second one, or, further away, the fourth.
    assert inferred(original.append_column("c", pa.array(list("abcd"))), avatars.append_column(
        "c", pa.array(list("abcd"))
    ), "n") == pytest.approx((0 + 200 * 69 / 129 + 0) / 3)  # fmt: skip
