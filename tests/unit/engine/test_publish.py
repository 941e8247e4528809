"""The order of publication: no trace of the originals, seed or no seed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from tests.unit.engine.tables import encoded, mixed_table

from avatars.engine.parameters import Parameters
from avatars.engine.publish import publishing_order
from avatars.engine.run import run


def published(table: pa.Table, seed: int) -> pa.Table:
    return table.take(publishing_order(encoded(table), seed))


def test_any_order_of_the_same_avatars_is_published_the_same() -> None:
    table = mixed_table(400, missing=0.1)
    shuffled = table.take(np.random.default_rng(1).permutation(400))
    assert published(table, 5).equals(published(shuffled, 5))


def test_the_seed_permutes() -> None:
    table = mixed_table(400)
    assert not published(table, 5).equals(published(table, 6))


def test_duplicates_do_not_disturb() -> None:
    table = pa.concat_tables([mixed_table(50)] * 4)
    order = publishing_order(encoded(table), 1)
    assert sorted(order.tolist()) == list(range(200))


def test_knowing_the_seed_gains_nothing() -> None:
    # The attacker knows the seed, the code and the shape of the table, and undoes the permutation that the seed would
    # make of another table of that shape: the rows so aligned are no closer to their own than chance.
    table = mixed_table(600)
    made = run(table, Parameters(k=10, seed=3))
    guess = publishing_order(encoded(mixed_table(600, seed=9)), 3)
    aligned = made.avatars.take(np.argsort(guess))
    own = sum(a == b for a, b in zip(aligned.to_pylist(), made.sensitive_unshuffled_avatars.to_pylist(), strict=True))
    assert own <= 5


def test_position_says_nothing_of_the_original_position() -> None:
    made = run(mixed_table(2000), Parameters(k=10, seed=3))
    order = publishing_order(made.sensitive_unshuffled, 3)
    assert abs(np.corrcoef(order, np.arange(2000))[0, 1]) < 0.08
