"""Parquet in: text that is text, and nothing beside the columns."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avatars.engine.detection import detect
from avatars.engine.errors import InvalidTable
from avatars.engine.files import read_table
from avatars.engine.parquet_reading import only_columns


def file_of(table: pa.Table, **options: Any) -> io.BytesIO:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    sink.seek(0)
    return sink


def not_utf8(type_: pa.DataType) -> pa.Array:
    """Text that says that it is text: as a damaged or hostile file would have it."""
    offsets = pa.array([0, 2, 4], pa.int64() if pa.types.is_large_string(type_) else pa.int32()).buffers()[1]
    return pa.Array.from_buffers(type_, 2, [None, offsets, pa.py_buffer(b"ab\xff\xfe")])


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("as_dictionaries", [False, True])
def test_text_that_is_not_utf8_is_refused_by_the_name_of_its_column(type_: pa.DataType, as_dictionaries: bool) -> None:
    table = pa.table({"age": [1, 2], "town": not_utf8(type_)})
    with pytest.raises(InvalidTable) as refused:
        read_table(file_of(table), texts_as_dictionaries=as_dictionaries)
    assert (refused.value.code, refused.value.column) == ("wrong_encoding", "town")
    assert "'town'" in str(refused.value)
    # As categories, too; of some of them Arrow itself notices.
    for index in (pa.int8(), pa.int32()):
        coded = pa.DictionaryArray.from_arrays(pa.array([0, 1], index), not_utf8(type_))
        with pytest.raises(InvalidTable) as refused:
            read_table(file_of(pa.table({"town": coded})))
        assert refused.value.code in ("wrong_encoding", "unreadable_file")


def test_a_name_of_a_column_that_is_not_utf8_is_refused() -> None:
    # The same length, so that the footer stays what it says it is.
    content = file_of(pa.table({"ward": [1, 2]})).getvalue().replace(b"ward", b"\xff\xfe\xfd\xfc")
    with pytest.raises(InvalidTable, match="cannot be read as Parquet"):
        read_table(io.BytesIO(content))


def test_what_is_not_a_column_stays_behind() -> None:
    frame = pd.DataFrame({"age": [30, 40]}, index=["Ada", "Bob"])
    frame.attrs = {"patient": "Ada"}
    table = pa.Table.from_pandas(frame)
    fields = [table.schema.field("age").with_metadata({"note": "Ada's"}), *list(table.schema)[1:]]
    table = table.cast(pa.schema(fields, {**table.schema.metadata, "note": "Ada's"}))
    read = read_table(file_of(table)).table
    assert read.column_names == ["age"]
    assert list(read.schema.metadata) == [b"pandas"]
    assert b"Ada" not in read.schema.serialize().to_pybytes()
    pd.testing.assert_frame_equal(read.to_pandas(), frame.reset_index(drop=True), check_flags=False)


@pytest.mark.parametrize("said", [b"", b"[1]", b"null", b'{"columns": 3}', b'{"columns": [1]}', b"\xff", b"{"])
def test_what_claims_to_be_pandas_and_is_not_is_dropped(said: bytes) -> None:
    table = pa.table({"a": [1]}, metadata={b"pandas": said})
    assert only_columns(table).schema.metadata is None


def test_what_pandas_says_of_its_dtypes_is_kept() -> None:
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b"], ["b", "a", "z"], ordered=True)})
    kept = only_columns(pa.Table.from_pandas(frame))
    assert json.loads(kept.schema.metadata[b"pandas"])["columns"][0]["pandas_type"] == "categorical"
    pd.testing.assert_frame_equal(kept.to_pandas(), frame)


def test_text_as_dictionaries_says_the_same_of_the_table() -> None:
    values = ["é", None, "b", "", "b"] * 40_000
    table = pa.table({"t": values, "large": pa.array(values, pa.large_string()), "n": range(200_000)})
    plain = read_table(file_of(table)).table
    coded = read_table(file_of(table), texts_as_dictionaries=True).table
    assert [pa.types.is_dictionary(type_) for type_ in coded.schema.types] == [True, True, False]
    assert coded.cast(plain.schema).equals(plain)
    for one, other in zip(detect(plain), detect(coded), strict=True):
        assert (one.name, one.kind, one.missing) == (other.name, other.kind, other.missing)
        assert (one.levels is None) == (other.levels is None)
        if one.levels is not None and other.levels is not None:
            assert len(one.levels) == len(other.levels)
