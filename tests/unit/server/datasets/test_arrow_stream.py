"""Arrow streams of every framing that clients have had; and those that lie, which end in a refusal."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.errors import EngineError, InvalidTable
from avatars.server.datasets.arrow_stream import read_arrow

TABLE = pa.table({"age": [31, None, 52], "sex": ["f", "m", None]})
LIMIT = 10 * 1024**2


def ipc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def batches(mark: bytes, parts: Sequence[bytes]) -> bytes:
    return b"".join(mark + number(len(part)) + part for part in parts)


PARTS = (ipc(TABLE), ipc(TABLE.slice(0, 1)))
WHOLE = pa.concat_tables([TABLE, TABLE.slice(0, 1)])
BODY = batches(b"ARRB1", PARTS)
FRAMINGS = {
    "0.8": batches(b"ARROW", PARTS),
    "0.10": b"ARRS1" + BODY,
    "0.11": b"ARRBOS1" + BODY + b"ARREOS1" + number(2),
    "0.13": b"ARRBOS1" + number(4) + BODY + b"ARREOS1" + number(2),
}


@pytest.mark.parametrize("version", FRAMINGS)
def test_each_framing_is_the_same_table(version: str) -> None:
    assert read_arrow(pa.py_buffer(FRAMINGS[version]), LIMIT).equals(WHOLE)


def test_a_plain_stream_is_one_too() -> None:
    assert read_arrow(pa.py_buffer(ipc(TABLE)), LIMIT).equals(TABLE)


def test_polars_text_becomes_what_every_reader_knows() -> None:
    frame = pl.DataFrame({"a": ["x", None], "b": [1.5, 2.0], "c": pl.Series(["u", "v"], dtype=pl.Categorical)})
    sink = io.BytesIO()
    frame.write_ipc_stream(sink, compat_level=pl.CompatLevel.newest())
    table = read_arrow(pa.py_buffer(sink.getvalue()), LIMIT)
    assert not any(pa.types.is_string_view(type_) for type_ in table.schema.types)
    assert table["a"].to_pylist() == ["x", None]
    assert table["c"].to_pylist() == ["u", "v"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ARROW",
        b"ARRBOS1",
        b"age,sex\n1,f\n",
        # Ends early; more, fewer, or other batches and rows than it says; something after its end.
        FRAMINGS["0.13"][:-4],
        b"ARRBOS1" + BODY + b"ARREOS1" + number(3),
        b"ARRBOS1" + number(5) + BODY + b"ARREOS1" + number(2),
        FRAMINGS["0.13"] + b"more",
        # Sizes that lie.
        b"ARRS1ARRB1" + number(2**32 - 1) + PARTS[0],
        b"ARRS1ARRB1" + number(10) + PARTS[0],
        b"ARRS1" + batches(b"ARROW", PARTS),
        PARTS[0][:100],
    ],
)
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidTable) as refusal:
        read_arrow(pa.py_buffer(content), LIMIT)
    assert refusal.value.code in ("unreadable_file", "empty_table")


def test_batches_of_other_columns_are_refused() -> None:
    other = ipc(pa.table({"age": ["x"], "sex": ["f"]}))
    with pytest.raises(InvalidTable) as refusal:
        read_arrow(pa.py_buffer(b"ARRS1" + batches(b"ARRB1", [*PARTS, other])), LIMIT)
    assert refusal.value.code == "different_parts"


def test_a_bomb_is_refused_when_it_has_grown_too_large() -> None:
    zeros = pa.table({"a": pa.nulls(1_000_000, pa.int64())})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, zeros.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        for _ in range(100):
            writer.write_table(zeros)
    assert len(sink.getvalue()) < LIMIT / 10
    with pytest.raises(InvalidTable) as refusal:
        read_arrow(pa.py_buffer(sink.getvalue()), LIMIT)
    assert refusal.value.code == "too_large"


@settings(max_examples=50, deadline=None)
@given(version=st.sampled_from(sorted(FRAMINGS)), data=st.data())
def test_changed_bytes_are_read_or_refused(version: str, data: st.DataObject) -> None:
    content = bytearray(FRAMINGS[version])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        table = read_arrow(pa.py_buffer(bytes(content)), LIMIT)
    except EngineError as refused:
        assert refused.code
    else:
        table.to_pylist()
