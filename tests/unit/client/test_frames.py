"""Tables as a stream of Parquet: Arrow tables of any maker, batches, and memory that does not grow with the table."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from avatars.errors import InvalidInput
from avatars.resources import frames
from avatars.resources.frames import ParquetStream, stream_of


def file_of(stream: ParquetStream) -> io.BytesIO:
    blocks = iter(stream.read, b"")
    return io.BytesIO(b"".join(blocks))


class Foreign:
    """A table of another library: an Arrow stream and nothing else."""

    def __init__(self, table: pa.Table | pa.RecordBatchReader) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


TABLE = pa.table(
    {
        "n": [1, 2, None],
        "text": pa.array(["a", None, "ü"], pa.string_view()),
        "level": pa.array(["x", "y", "x"]).dictionary_encode(),
        "viewed": pa.DictionaryArray.from_arrays([0, 1, 0], pa.array(["p", "q"], pa.string_view())),
        "day": pa.array([0, 1, 2], pa.date32()),
    }
)


@pytest.mark.parametrize("make", [lambda table: table, Foreign, lambda table: Foreign(table.to_reader())])
def test_what_gives_itself_as_an_arrow_stream_is_sent(make: Callable[[pa.Table], Any]) -> None:
    read = pq.read_table(file_of(stream_of(make(TABLE))))
    assert read.column_names == TABLE.column_names
    assert read.to_pydict() == TABLE.to_pydict()


def test_what_else_a_schema_says_stays_here() -> None:
    secretive = TABLE.replace_schema_metadata({"source": "/home/someone/patients.db"})
    file = file_of(stream_of(secretive))
    assert b"someone" not in file.getvalue()


@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=8), rows=st.integers(1, 9))
def test_any_batches_arrive_as_one_table_in_groups_of_our_size(sizes: list[int], rows: int) -> None:
    batches = [pa.record_batch({"i": np.arange(sum(sizes[:n]), sum(sizes[: n + 1]))}) for n in range(len(sizes))]
    table = pa.Table.from_batches(batches)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "CELLS", rows)
        if not sum(sizes):
            with pytest.raises(InvalidInput, match="nothing to send"):
                stream_of(Foreign(table))
            return
        read = pq.ParquetFile(file_of(stream_of(Foreign(table))))
    assert read.read().to_pydict() == {"i": list(range(sum(sizes)))}
    assert max(read.metadata.row_group(group).num_rows for group in range(read.num_row_groups)) <= rows


def test_a_frame_in_many_batches_is_the_same_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "CELLS", 20)
    frame = pd.DataFrame(
        {
            "n": np.arange(101),
            "level": pd.Categorical(["lo", "hi", None] * 33 + ["lo", "hi"], categories=["lo", "mid", "hi"]),
            # Missing in the whole of the first batch: its kind is known from a later one.
            "late": pd.Series([None] * 50 + ["x"] * 51, dtype=object),
            "when": pd.date_range("2024-01-01", periods=101, tz="Europe/Paris"),
            "mask": pd.array([True, None] * 50 + [False], dtype="boolean"),
        }
    )
    file = file_of(stream_of(frame))
    assert pq.ParquetFile(file).num_row_groups == 26
    back = pq.read_table(file).to_pandas()
    back["late"] = back["late"].astype(object).where(back["late"].notna(), None)
    assert_frame_equal(back, frame, check_freq=False)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pa.table({"x": [[1], [2]]}), r"Column 'x' \(list<.*>\) is not of a kind"),
        (pa.table({"x": [b"s3cret"]}), r"Column 'x' \(binary\) is not of a kind"),
        (pa.table({"x": [{"s3cret": 1}]}), r"Column 'x' \(struct<"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), "Column 'x' is there more than once"),
        (pa.table({}), "no rows or no columns"),
        (pa.table({"x": pa.array([], pa.int64())}), "no rows or no columns"),
        (Foreign(pa.chunked_array([[1, 2]])), "pass a table, not a single column"),
    ],
    ids=["list", "bytes", "struct", "twice", "no columns", "no rows", "one column"],
)
def test_what_cannot_be_sent_is_said_without_its_cells(table: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        stream_of(table)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_stream_that_breaks_off_is_said() -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"x": [1]})
        raise OSError("s3cret")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("x", pa.int64())]), batches())
    with pytest.raises(InvalidInput, match="broke off") as caught:
        stream_of(Foreign(reader))
    assert "s3cret" not in str(caught.value)


def test_memory_is_that_of_a_batch_and_not_of_the_frame() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).random((1_000_000, 16)))
    held = pa.total_allocated_bytes()
    tracemalloc.start()
    stream = stream_of(frame)
    highest = sent = 0
    while block := stream.read():
        sent += len(block)
        highest = max(highest, pa.total_allocated_bytes() - held)
    _, python = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = int(frame.memory_usage().sum())
    assert sent > size / 2  # random numbers do not compress: all of it went through
    assert highest + python < size * 0.8


def test_a_column_that_fails_only_when_it_is_converted_is_named() -> None:
    with pd.option_context("mode.string_storage", "python"):
        frame = pd.DataFrame({"n": [1, 2], "name": pd.array(["ok", "\ud800s3cret"], dtype="string")})
        stream = stream_of(frame)
        with pytest.raises(InvalidInput, match="Column 'name'") as caught:
            file_of(stream)
    assert "s3cret" not in str(caught.value)
