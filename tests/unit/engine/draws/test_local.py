"""The local draw as a whole: what its avatars promise, whatever the table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.unit.engine.tables import mixed_table

from avatars.engine import batches, spots
from avatars.engine.draws import race
from avatars.engine.errors import InvalidParameter, InvalidTable
from avatars.engine.parameters import Parameters
from avatars.engine.run import Avatarization, run


def made(table: pa.Table, k: int = 30, seed: int = 1, **parameters: object) -> Avatarization:
    return run(table, Parameters(k=k, seed=seed, **parameters))  # type: ignore[arg-type]  # names the tests choose


def numbers(table: pa.Table, name: str) -> np.ndarray:
    cells: np.ndarray = table[name].cast(pa.float64()).to_numpy()
    return cells


def test_columns_keep_their_shape() -> None:
    table = mixed_table(2000)
    avatars = made(table).avatars
    for name in ("height", "weight", "visits"):
        ours, theirs = numbers(avatars, name), numbers(table, name)
        assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
        np.testing.assert_allclose(
            np.quantile(ours, [0.1, 0.5, 0.9]), np.quantile(theirs, [0.1, 0.5, 0.9]), atol=0.05 * theirs.std() + 0.5
        )
    for name in ("sex", "ward", "smoker"):
        people, drawn = (dict(zip(*t[name].value_counts().flatten(), strict=True)) for t in (table, avatars))
        for level, count in people.items():
            assert abs(drawn[level].as_py() - count.as_py()) <= 0.02 * 2000


def test_relations_are_kept() -> None:
    table = mixed_table(2000)
    avatars = made(table).avatars
    correlations = [np.corrcoef(numbers(t, "height"), numbers(t, "weight"))[0, 1] for t in (table, avatars)]
    assert correlations[1] == pytest.approx(correlations[0], abs=0.05)


def test_extremes_and_rare_levels_stay_at_home() -> None:
    table = mixed_table(1000)
    rare = pa.array(["only me"] * 4 + ["many"] * 996)
    rich = pa.array(np.concatenate([[1e7], np.random.default_rng(0).lognormal(10, 1, 999)]).round(2))
    avatars = made(table.append_column("rare", rare).append_column("income", rich)).avatars
    assert set(avatars["rare"].to_pylist()) == {"many"}
    assert pc.max(avatars["income"]).as_py() < 2e6


def test_no_level_is_invented_and_no_pair_that_nobody_has() -> None:
    random = np.random.default_rng(1)
    city = random.integers(0, 15, 1500)
    table = pa.table(
        {"city": [f"c{c}" for c in city], "region": [f"r{c // 5}" for c in city], "x": random.normal(size=1500)}
    )
    avatars = made(table).avatars
    pairs = set(zip(table["city"].to_pylist(), table["region"].to_pylist(), strict=True))
    assert set(zip(avatars["city"].to_pylist(), avatars["region"].to_pylist(), strict=True)) <= pairs


def test_a_spike_keeps_its_mass_and_the_rest_its_shape() -> None:
    random = np.random.default_rng(2)
    dose = np.where(random.random(3000) < 0.35, 0.0, random.gamma(3, 2, 3000).round(3))
    table = mixed_table(3000).append_column("dose", pa.array(dose))
    drawn = numbers(made(table).avatars, "dose")
    assert (drawn == 0).mean() == pytest.approx((dose == 0).mean(), abs=0.015)
    assert drawn[drawn > 0].mean() == pytest.approx(dose[dose > 0].mean(), rel=0.03)


def test_missing_cells_keep_their_share_and_their_company() -> None:
    random = np.random.default_rng(3)
    table = mixed_table(2000)
    gone = (numbers(table, "height") > 175) & (random.random(2000) < 0.8)
    table = table.set_column(1, "weight", pa.array(numbers(table, "weight"), mask=gone))
    avatars = made(table).avatars
    missing = avatars["weight"].is_null().to_numpy()
    assert missing.mean() == pytest.approx(gone.mean(), abs=0.02)
    tall = numbers(avatars, "height") > 175
    assert missing[tall].mean() > 0.5
    assert missing[~tall].mean() < 0.15


def test_a_declared_group_keeps_its_relation() -> None:
    random = np.random.default_rng(4)
    n = 3000
    arm = random.integers(0, 2, n)
    event = random.random(n) < np.where(arm == 1, 0.25, 0.4)
    days = np.where(event, random.uniform(0, 500, n), random.uniform(300, 1000, n)).round()
    table = mixed_table(n)
    for name, cells in {"arm": arm.astype(str), "event": event, "days": days}.items():
        table = table.append_column(name, pa.array(cells))
    avatars = made(table, groups=[["days", "event", "arm"]]).avatars
    for value in ("0", "1"):
        theirs, ours = (t.filter(pc.equal(t["arm"], value)) for t in (table, avatars))
        shares = [pc.mean(t["event"].cast(pa.int8())).as_py() for t in (theirs, ours)]
        assert shares[1] == pytest.approx(shares[0], abs=0.02)
        for happened in (True, False):
            times = [numbers(t.filter(pc.equal(t["event"], happened)), "days").mean() for t in (theirs, ours)]
            assert times[1] == pytest.approx(times[0], rel=0.03)


def test_the_same_seed_gives_the_same_avatars_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed_table(9000, missing=0.05)
    once = made(table, k=15).sensitive_unshuffled_avatars
    for threads in (1, 2, 5):
        monkeypatch.setattr(batches, "default_threads", lambda threads=threads: threads)
        assert made(table, k=15).sensitive_unshuffled_avatars.equals(once)
    assert not made(table, k=15, seed=2).sensitive_unshuffled_avatars.equals(once)


def test_compiled_or_not_the_law_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed_table(1500)
    plain = made(table).sensitive_unshuffled_avatars
    monkeypatch.setattr(race, "SMALL", 0)
    fast = made(table).sensitive_unshuffled_avatars
    for name in ("height", "weight"):
        np.testing.assert_allclose(numbers(plain, name), numbers(fast, name), atol=0.11)
    assert pc.mean(pc.equal(plain["ward"], fast["ward"]).cast(pa.float64())).as_py() > 0.99
    assert spots.SMALL > 0


def test_an_identifier_is_refused_by_its_name() -> None:
    table = mixed_table(200).append_column("name", pa.array([f"person {i}" for i in range(200)]))
    with pytest.raises(InvalidTable, match="Column 'name' identifies people: no value of it is shared by 5") as refused:
        made(table)
    assert refused.value.code == "identifier"
    assert refused.value.column == "name"


def test_an_identifier_can_be_replaced_by_numbers_that_are_nobodys() -> None:
    names = pa.array([f"person {i}" for i in range(200)])
    table = mixed_table(200).add_column(1, "name", names)
    result = made(table, identifiers="replace")
    assert result.avatars.schema == table.schema
    assert result.avatars["name"].to_pylist() == [str(i) for i in range(1, 201)]
    unshuffled = result.sensitive_unshuffled_avatars
    assert sorted(unshuffled["name"].to_pylist()) == sorted(result.avatars["name"].to_pylist())
    by_name = unshuffled.take(pc.sort_indices(unshuffled["name"].cast(pa.int64())))
    assert by_name.equals(result.avatars)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([["height", "wieght"]], "did you mean 'weight'"),
        ([["height"]], "two columns or more"),
        (["height"], "two columns or more"),
        ([["height", "sex"], ["sex", "ward"]], "named twice"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: object, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        made(mixed_table(100), groups=groups)
