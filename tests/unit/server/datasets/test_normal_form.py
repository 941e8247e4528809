"""The normal form: what goes in comes out, as a table and as text."""

from __future__ import annotations

import datetime
import hashlib
import io
from pathlib import Path
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avatars.engine.columns import detect
from avatars.engine.files import SourceTable
from avatars.engine.formats import TableFormat
from avatars.server.datasets import normal_form
from avatars.server.storage import Storage

TABLE = pa.table(
    {
        "age": pa.array([31, None, 52], pa.int8()),
        "weight": [60.5, float("nan"), 71.0],
        "sex": pa.array(["f", "m", "f"]).dictionary_encode(),
        "smoker": [True, False, None],
        "when": pa.array([datetime.date(2020, 1, day) for day in (1, 2, 3)], pa.date32()),
        "nothing": pa.nulls(3),
    }
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def write(storage: Storage, table: pa.Table, format: TableFormat | None = None) -> tuple[UUID, normal_form.Written]:
    id, columns = uuid4(), detect(table)
    source = SourceTable(table, format or TableFormat())
    return id, normal_form.write(storage, id, source, normal_form.describe(columns, columns))


def test_a_table_comes_back_with_its_types_and_format(storage: Storage) -> None:
    format = TableFormat(delimiter=";", decimal=",")
    id, _ = write(storage, TABLE, format)
    source = normal_form.read(storage, id)
    assert source.table.schema.equals(TABLE.schema)
    assert source.table["age"].to_pylist() == [31, None, 52]
    assert source.format == format


def test_what_was_written_is_described(storage: Storage) -> None:
    id, written = write(storage, TABLE)
    content = b"".join(normal_form.parquet_bytes(storage, id))
    assert written.hash == hashlib.sha256(content).hexdigest()
    assert written.size == len(content)
    assert (written.nb_lines, written.filetype) == (3, "csv")
    described = {
        column["label"]: (column["type"], column["missing"], column["dimensions"]) for column in written.columns
    }
    assert described == {
        "age": ("int", 1, 1),
        "weight": ("float", 1, 1),
        "sex": ("category", 0, 2),
        "smoker": ("bool", 1, 2),
        "when": ("datetime", 0, 1),
        "nothing": ("category", 3, 0),
    }
    assert pq.read_table(io.BytesIO(content)).column_names == TABLE.column_names


def test_avatars_are_described_by_their_own_cells_and_the_originals_types(storage: Storage) -> None:
    _, written = write(storage, TABLE)
    avatars = TABLE.slice(0, 1)
    described = normal_form.write_like(storage, uuid4(), avatars, TableFormat(), written.columns)
    counts = {
        column["label"]: (column["type"], column["missing"], column["dimensions"]) for column in described.columns
    }
    assert counts["sex"] == ("category", 0, 1)
    assert counts["age"] == ("int", 0, 1)
    assert counts["nothing"] == ("category", 1, 0)


def test_csv_has_one_header_however_many_pieces_it_comes_in(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normal_form, "ROW_GROUP", 10)
    table = pa.table({"a;b": range(35), "c": ['x"y'] * 35})
    id, _ = write(storage, table, TableFormat(delimiter=";", bom=True, gzip=True))
    pieces = list(normal_form.csv_bytes(storage, id, as_uploaded=True))
    assert len(pieces) == 5
    lines = b"".join(pieces).decode().splitlines()
    assert lines[0] == '"a;b";c'
    assert lines[1:] == [f'{number};"x""y"' for number in range(35)]


def test_csv_is_what_every_program_reads_unless_asked_for_as_it_was_uploaded(storage: Storage) -> None:
    table = pa.table({"size": [1.5, 2.25], "sex": ["f", "m"]})
    id, _ = write(storage, table, TableFormat(delimiter=";", decimal=","))
    assert b"".join(normal_form.csv_bytes(storage, id)) == b"size,sex\n1.5,f\n2.25,m\n"
    assert b"".join(normal_form.csv_bytes(storage, id, as_uploaded=True)) == b"size;sex\n1,5;f\n2,25;m\n"


def test_a_table_that_came_as_parquet_is_plain_csv(storage: Storage) -> None:
    id, _ = write(storage, TABLE.select(["age", "sex"]), TableFormat(kind="parquet"))
    assert b"".join(normal_form.csv_bytes(storage, id)) == b"age,sex\n31,f\n,m\n52,f\n"


def test_what_is_not_there_is_missed_before_the_first_piece(storage: Storage) -> None:
    for give in (normal_form.csv_bytes, normal_form.parquet_bytes):
        with pytest.raises(FileNotFoundError):
            give(storage, uuid4())


def test_the_sweep_keeps_known_datasets_only(storage: Storage) -> None:
    known, _ = write(storage, TABLE)
    write(storage, TABLE)
    storage.write_bytes(normal_form.upload_key(uuid4()), b"half")
    normal_form.sweep(storage, {known})
    assert storage.list("datasets") == [str(known)]


def test_deleting_a_dataset_leaves_nothing_of_it(storage: Storage) -> None:
    id, _ = write(storage, TABLE)
    storage.delete(normal_form.folder_key(id))
    assert storage.list("datasets") == []
