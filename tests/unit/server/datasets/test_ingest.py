"""Uploads become the normal form: kept as they are where they have it, written where they have not."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import UUID, uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avatars.engine.errors import InvalidTable
from avatars.server.datasets import normal_form
from avatars.server.datasets.ingest import Content, ingest
from avatars.server.storage import Storage

LIMIT = 64 * 1024**2
TABLE = pa.table({"age": [31, None, 52] * 10, "sex": ["f", "m", None] * 10})


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def take_in(storage: Storage, content: bytes, kind: Content | None = None) -> tuple[UUID, normal_form.Written]:
    id = uuid4()
    storage.write_bytes(normal_form.upload_key(id), content)
    return id, ingest(storage, id, kind or Content(), LIMIT)


def names(storage: Storage, id: UUID) -> list[str]:
    return storage.list(normal_form.folder_key(id))


def test_a_file_of_the_normal_form_is_kept_as_it_is(storage: Storage) -> None:
    content = parquet(TABLE)
    id, written = take_in(storage, content)
    assert names(storage, id) == ["format.json", "upload"]
    assert b"".join(normal_form.parquet_bytes(storage, id)) == content
    assert normal_form.read(storage, id).table.equals(TABLE)
    assert (written.filetype, written.nb_lines, written.size) == ("parquet", 30, len(content))
    # Text is said to be text, though it was looked at as a dictionary.
    described = [(column["why"], column["missing"], column["dimensions"]) for column in written.columns]
    assert described == [("integers", 10, 1), ("text", 10, 2)]


@pytest.mark.parametrize(
    "content",
    [
        parquet(TABLE, compression="none"),
        parquet(pa.table({"a": range(10_001)}), row_group_size=1),
        # Labels of rows, which are named after people.
        pd.DataFrame({"a": [1, 2]}, index=["Ada", "Bob"]).to_parquet(),
        b"age,sex\n1,f\n2,m\n",
    ],
    ids=["not compressed", "tiny groups", "labels of rows", "csv"],
)
def test_any_other_is_written_anew(storage: Storage, content: bytes) -> None:
    id, _ = take_in(storage, content)
    assert names(storage, id) == ["format.json", "table.parquet"]
    assert b"Ada" not in b"".join(normal_form.parquet_bytes(storage, id))


def test_categories_and_what_pandas_says_of_them_are_kept(storage: Storage) -> None:
    frame = pd.DataFrame({"c": pd.Categorical(["x", None], categories=["y", "x"], ordered=True), "t": ["a", "b"]})
    id, written = take_in(storage, frame.to_parquet())
    pd.testing.assert_frame_equal(normal_form.read(storage, id).table.to_pandas(), frame)
    assert [column["why"] for column in written.columns] == ["a categorical type", "text"]


def test_texts_that_are_there_a_million_times_are_counted_a_million_times(storage: Storage) -> None:
    bomb = pa.table({"a": pa.array(["x" * 1000]).take(pa.array([0] * 500_000))})
    content = parquet(bomb, row_group_size=100_000)
    assert len(content) < 100_000
    with pytest.raises(InvalidTable) as refusal:
        take_in(storage, content)
    assert refusal.value.code == "too_large"


def test_several_parquet_files_are_one_table(storage: Storage) -> None:
    parts = [parquet(TABLE.slice(start, 10)) for start in (0, 10, 20)]
    id, written = take_in(storage, b"".join(parts), Content("file", tuple(map(len, parts))))
    assert written.nb_lines == 30
    assert normal_form.read(storage, id).table.equals(TABLE)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (b"age,sex\n1,f\n", "several_files"),
        (b"", "several_files"),
        (parquet(pa.table({"age": ["x"], "sex": ["f"]})), "different_parts"),
    ],
)
def test_several_files_of_another_kind_are_refused(storage: Storage, other: bytes, code: str) -> None:
    content = parquet(TABLE)
    with pytest.raises(InvalidTable) as refusal:
        take_in(storage, content + other, Content("file", (len(content), len(other))))
    assert refusal.value.code == code


def test_columns_of_one_name_are_refused_in_parquet(storage: Storage) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["x", "x"])
    with pytest.raises(InvalidTable) as refusal:
        take_in(storage, parquet(table))
    assert refusal.value.code == "duplicate_columns"
