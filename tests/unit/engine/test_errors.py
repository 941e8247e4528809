"""The engine's errors."""

from __future__ import annotations

import pickle

import pytest

from avatars.engine.errors import Cancelled, EngineError, InvalidParameter, InvalidTable


@pytest.mark.parametrize("kind", [InvalidTable, InvalidParameter])
def test_an_error_is_a_sentence_with_a_code_and_a_column(kind: type[EngineError]) -> None:
    error = kind("Column 'age' has infinite values.", code="infinite_values", column="age")
    assert str(error) == "Column 'age' has infinite values."
    assert (error.code, error.column) == ("infinite_values", "age")
    assert isinstance(error, ValueError)


def test_an_error_survives_the_way_out_of_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(InvalidTable("No rows.", code="empty_table")))
    assert type(error) is InvalidTable
    assert (str(error), error.code, error.column) == ("No rows.", "empty_table", None)


def test_being_cancelled_is_nobodys_mistake() -> None:
    assert not issubclass(Cancelled, EngineError)
