"""The guard around tasks: no cell of a table comes back through an error."""

from __future__ import annotations

import pickle
import warnings

import pytest

from avatars.engine.errors import InvalidTable
from avatars.server.jobs.guard import OutOfMemory, TaskBroken, Verdict, guarded, unwrap

CELL = "Ada Lovelace"


def travel(verdict: Verdict) -> Verdict:
    """Give what arrives in the other process."""
    text = pickle.dumps(verdict)
    assert CELL.encode() not in text
    arrived = pickle.loads(text)
    assert isinstance(arrived, Verdict)
    return arrived


def test_a_result_passes() -> None:
    assert unwrap(travel(guarded(lambda a, b: a + b, 1, 2))) == 3


def test_a_refusal_of_the_engine_passes_with_its_sentence_code_and_column() -> None:
    def refuse() -> None:
        raise InvalidTable("Column 'age' has infinite values.", code="infinite_values", column="age")

    with pytest.raises(InvalidTable, match=r"Column .age. has infinite values") as refusal:
        unwrap(travel(guarded(refuse)))
    assert (refusal.value.code, refusal.value.column) == ("infinite_values", "age")


def test_anything_else_passes_as_its_type_and_places_without_its_text() -> None:
    def stumble() -> None:
        float(CELL)

    with pytest.raises(TaskBroken) as broken:
        unwrap(travel(guarded(stumble)))
    assert broken.value.error == "ValueError"
    assert "stumble" in broken.value.stack[-1]
    assert CELL not in str(broken.value)


def test_memory_that_is_not_there_is_told_apart() -> None:
    def grab() -> None:
        raise MemoryError(CELL)

    with pytest.raises(OutOfMemory):
        unwrap(travel(guarded(grab)))


def test_warnings_stay_with_the_task() -> None:
    guarded(warnings.warn, CELL)  # Would be an error here, were it not silenced.
