"""Files of tables."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.errors import EngineError, InvalidTable
from avatars.engine.files import TableFormat, check_disk, read_table, write_csv, write_parquet, write_table
from avatars.engine.machine import free_disk
from avatars.engine.workspace import disk_full_in_words

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int16()),
        "x": pa.array([1.5, None, 2.5], pa.float32()),
        "c": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), pa.array(["a", "b"]), ordered=True),
        "t": pa.array([0, None, 1], pa.timestamp("ns", "Europe/Paris")),
        "d": pa.array([date(2020, 1, 1), None, None]),
        "e": pa.nulls(3),
    },
    metadata={"made": "here"},
)


@pytest.mark.parametrize("name", ["t.parquet", "t.pq", "t.PARQUET", "no-extension"])
def test_parquet_keeps_every_type(tmp_path: Path, name: str) -> None:
    write_table(TABLE, tmp_path / name, TableFormat(kind="parquet"))
    source = read_table(tmp_path / name)
    assert source.table.equals(TABLE)
    assert source.format == TableFormat(kind="parquet")
    codec = pq.ParquetFile(tmp_path / name).metadata.row_group(0).column(0).compression
    assert codec == "ZSTD"


@pytest.mark.parametrize(
    ("name", "start"),
    [("t.csv", b"a,b\n"), ("t.txt", b"a,b\n"), ("t.tsv", b"a\tb\n"), ("t", b"a,b\n"), ("t.csv.gz", b"\x1f\x8b")],
)
def test_the_extension_says_what_is_written_and_the_content_what_is_read(
    tmp_path: Path, name: str, start: bytes
) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    format = TableFormat(kind="parquet") if name == "t.tsv" else None
    write_table(table, tmp_path / name, format)
    assert (tmp_path / name).read_bytes().startswith(start)
    renamed = (tmp_path / name).rename(tmp_path / "anything.parquet")
    assert read_table(renamed).table.equals(table)


def test_avatars_of_a_compressed_csv_may_be_written_plain(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(gzip.compress(b"a;b\n1,5;x\n", mtime=0))
    source = read_table(str(tmp_path / "in"))
    assert source.format.gzip
    write_table(source.table, tmp_path / "out.csv", source.format)
    assert (tmp_path / "out.csv").read_bytes() == b"a;b\n1,5;x\n"


def test_open_files_are_read_and_written() -> None:
    assert read_table(io.BytesIO(b"a,b\n1,2\n")).table.to_pydict() == {"a": [1], "b": [2]}
    sink = io.BytesIO()
    write_parquet(TABLE, sink)
    assert read_table(io.BytesIO(sink.getvalue())).table.equals(TABLE)


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("old")
    with pytest.raises(pa.ArrowNotImplementedError):
        write_table(pa.table({"odd": pa.array([[1]])}), tmp_path / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert (tmp_path / "t.csv").read_text() == "old"


def test_a_disk_that_is_too_small_is_said_before_work_starts(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="make room there, or choose another folder") as refused:
        check_disk(tmp_path / "out.csv", free_disk(tmp_path) + 10**12)
    assert refused.value.code == "not_enough_disk"
    check_disk(tmp_path / "out.csv", 1)
    check_disk(tmp_path / "out.parquet", 10**18)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_disk_that_becomes_full_while_writing(tmp_path: Path, write: Any) -> None:
    table = pa.table({"x": range(100_000)})
    with (
        pytest.raises(EngineError) as refused,
        disk_full_in_words(tmp_path),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        write(table, full)
    assert refused.value.code == "not_enough_disk"


def test_labels_of_rows_in_a_parquet_of_pandas_are_left_out(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2], "c": pd.Categorical(["a", "b"])}, index=["Ada", "Bob"])
    frame.to_parquet(tmp_path / "in.parquet")
    source = read_table(tmp_path / "in.parquet")
    assert source.table.column_names == ["x", "c"]
    assert b"__index_level_" not in source.table.schema.metadata[b"pandas"]
    write_table(source.table, tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), frame.reset_index(drop=True))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "nothing.csv")


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_table"),
        (parquet(TABLE)[:-20], "unreadable_file"),
        (parquet(TABLE)[:50], "unreadable_file"),
        (parquet(TABLE.slice(0, 0)), "empty_table"),
        (gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:40], "unreadable_file"),
        (b"\x1f\x8b\x08", "unreadable_file"),
        (gzip.compress(b"", mtime=0), "empty_table"),
    ],
)
def test_damaged_and_empty_files_are_refused(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(content)
    for source in (tmp_path / "t", io.BytesIO(content)):
        with pytest.raises(InvalidTable) as refused:
            read_table(source)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n" + b"1,2\n" * 1000,
        gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000, mtime=0),
        parquet(pa.table({"x": pa.array([0]).take(pa.array([0] * 1_000_000))})),
    ],
    ids=["csv", "gzip", "parquet"],
)
def test_what_would_unpack_to_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidTable) as refused:
        read_table(io.BytesIO(content), max_bytes=3000)
    assert refused.value.code == "too_large"
    assert read_table(io.BytesIO(content), max_bytes=10**8).table.num_rows >= 1000


@settings(deadline=None)
@given(st.binary(max_size=100), st.sampled_from([b"PAR1\x15", b"\x1f\x8b\x08", b""]))
def test_any_bytes_give_a_table_or_a_sentence(content: bytes, start: bytes) -> None:
    with suppress(EngineError):
        assert read_table(io.BytesIO(start + content)).table.num_rows > 0
