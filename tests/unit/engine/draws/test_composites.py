"""Traits and composites: what is drawn as levels, and what is drawn together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.engine.tables import encoded

from avatars.engine.columns import Encoded, Kind, detect, encode
from avatars.engine.draws.composites import MOST_LEVELS, Composite, _associations, composites_of
from avatars.engine.draws.traits import Role, Trait, entropy, traits_of
from avatars.engine.errors import InvalidParameter
from avatars.engine.features import Features
from avatars.engine.missing import fit
from avatars.engine.parameters import Imputation
from avatars.engine.progress import Silent


def prepared(table: pa.Table, types: dict[str, Kind] | None = None) -> tuple[Encoded, Features]:
    rows = encode(table, detect(table, types)) if types else encoded(table)
    return rows, fit(rows, Imputation("median"), 0, Silent()).fill(rows, Silent())


def described(traits: list[Trait]) -> list[tuple[str, int, int]]:
    return [(trait.role.value, trait.column, trait.size) for trait in traits]


def test_levels_gaps_spikes_and_values_are_found() -> None:
    random = np.random.default_rng(0)
    n = 1000
    sex = random.choice(["f", "m"], n)
    dose = np.where(random.random(n) < 0.4, 0.0, random.exponential(10, n).round(2))
    table = pa.table(
        {
            "sex": pa.array(sex, mask=random.random(n) < 0.1),
            "code": np.where(sex == "f", 7, 9),
            "dose": dose,
            "age": pa.array(random.integers(20, 90, n), mask=random.random(n) < 0.2),
        }
    )
    # The code tells the sex where it is missing, so that the sex does not quite tell the code.
    assert described(traits_of(*prepared(table), imputed=False)) == [("level", 0, 3), ("gap", 2, 2), ("spike", 1, 2)]
    whole = table.set_column(0, "sex", pa.array(sex))
    assert described(traits_of(*prepared(whole), imputed=False)) == [
        ("level", 0, 2),
        ("gap", 2, 2),
        ("value", 0, 2),
        ("spike", 1, 2),
    ]


def test_imputed_cells_have_no_gaps_but_where_there_is_nothing() -> None:
    table = pa.table({"x": pa.array([1.0, None, 3.0, 4.0]), "nothing": pa.nulls(4, pa.float64()), "a": ["u", None] * 2})
    assert described(traits_of(*prepared(table), imputed=True)) == [("level", 0, 1), ("gap", 1, 2)]


@pytest.mark.parametrize("values", [[0] * 300 + list(range(1, 12)) * 50, list(range(900))], ids=["few", "no spike"])
def test_what_is_no_spike(values: list[int]) -> None:
    assert traits_of(*prepared(pa.table({"x": [float(value) for value in values]})), imputed=False) == []


def test_associations_equal_their_definition() -> None:
    random = np.random.default_rng(1)
    codes = random.integers(0, 4, (500, 3)).astype(np.int32)
    codes[:, 2] = np.where(random.random(500) < 0.7, codes[:, 0], codes[:, 2])
    composites = [Composite.of(Trait(Role.LEVEL, column, codes[:, column], 4)) for column in range(3)]
    found = _associations(composites, np.arange(500))
    for a in range(3):
        for b in range(3):
            if a == b:
                assert found[a, b] == 0
                continue
            alone = [entropy(np.bincount(codes[:, column])) for column in (a, b)]
            shared = sum(alone) - entropy(np.bincount(codes[:, a] * 4 + codes[:, b]))
            assert found[a, b] == pytest.approx(shared / min(alone), abs=1e-5)


def test_what_belongs_together_is_merged_and_the_rest_is_not() -> None:
    random = np.random.default_rng(2)
    city = random.integers(0, 12, 2000)
    table = pa.table(
        {
            "city": [f"city {c}" for c in city],
            "region": [f"region {c // 4}" for c in city],
            "sex": random.choice(["f", "m"], 2000),
        }
    )
    composites = composites_of(*prepared(table), (), imputed=False)
    merged = next(one for one in composites if len(one.traits) == 2)
    assert {trait.column for trait in merged.traits} == {0, 1}
    assert len(merged.cells) == 12  # no city in another region
    np.testing.assert_array_equal(
        merged.cells[merged.levels], np.column_stack([trait.codes for trait in merged.traits])
    )
    assert sorted(len(one.traits) for one in composites) == [1, 2]


def test_too_many_combinations_are_not_merged() -> None:
    random = np.random.default_rng(3)
    codes = random.integers(0, MOST_LEVELS + 50, 20_000)
    table = pa.table({"a": [f"a{c}" for c in codes], "b": [f"b{c}" for c in codes]})
    assert [len(one.traits) for one in composites_of(*prepared(table), (), imputed=False)] == [1, 1]


def test_a_declared_group_is_one_composite_and_its_first_number_is_calibrated_within_it() -> None:
    random = np.random.default_rng(4)
    n = 1500
    table = pa.table(
        {
            "time": random.exponential(size=n),
            "dose": random.normal(size=n),
            "event": random.random(n) < 0.4,
            "arm": random.choice(["a", "b"], n),
        }
    )
    (group,) = composites_of(*prepared(table), [["time", "event", "arm", "dose"]], imputed=False)
    assert [trait.role for trait in group.traits] == [Role.LEVEL, Role.LEVEL, Role.BIN]
    assert group.calibrates == 0
    assert group.rare_mass(5) <= 0.02


def test_a_group_of_too_many_combinations_is_refused() -> None:
    random = np.random.default_rng(5)
    table = pa.table({name: random.choice([f"{name}{i}" for i in range(30)], 500) for name in ("a", "b", "c")})
    words = r"group of 'a', 'b', 'c' is too large: .* fewer than 5 people"
    with pytest.raises(InvalidParameter, match=words) as refused:
        composites_of(*prepared(table), [["a", "b", "c"]], imputed=False)
    assert refused.value.code == "group_too_large"
