"""How long attacks will take, said before: more for more, and nothing where nothing is tried."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.unit.evaluation.attacks.people import cohort

import avatars
from avatars.engine.errors import InvalidParameter
from avatars.engine.estimate import Estimate
from avatars.evaluation.estimate import with_assessment


def of(rows: int, columns: int = 20) -> Estimate:
    return Estimate(rows, columns, 10**9, 10**8, 10**9, 10**6, 2.0 + rows * 1e-5, "age", 0)


def test_it_grows_with_what_is_tried_and_with_the_table() -> None:
    quick, thorough = (with_assessment(of(2000), how).assessment for how in ("quick", "thorough"))
    assert 0 < quick < thorough
    assert with_assessment(of(20_000), "quick").assessment > quick
    assert with_assessment(of(2000, 60), "thorough").assessment > thorough


def test_where_nothing_is_attacked_nothing_is_added() -> None:
    assert with_assessment(of(2000), None) == of(2000)
    assert with_assessment(of(98), "thorough") == of(98)


def test_the_run_itself_takes_what_it_took() -> None:
    assert with_assessment(of(2000), "quick").seconds == of(2000).seconds


def test_a_program_is_told_and_so_is_a_person() -> None:
    people = cohort(400)
    quick, thorough, none = (avatars.estimate(people, assess=how) for how in ("quick", "thorough", None))
    assert none.assessment == 0
    assert "assessment" not in none.in_words()
    assert quick.assessment < thorough.assessment
    assert "more for the assessment" in thorough.in_words()
    with pytest.raises(InvalidParameter, match="quick, thorough"):
        avatars.estimate(pd.DataFrame({"a": [1, 2, 3]}), assess="careful")  # type: ignore[arg-type]
