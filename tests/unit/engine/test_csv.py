"""CSV in and out: what is understood, what is refused, and that what is written reads back the same."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.csv_reading import read_csv
from avatars.engine.csv_writing import write_csv
from avatars.engine.errors import AvatarsWarning, EngineError, InvalidParameter, InvalidTable
from avatars.engine.formats import TableFormat

SECRET = "Ada-Lovelace"


def read(content: str | bytes, **options: Any) -> tuple[pa.Table, TableFormat]:
    return read_csv(pa.py_buffer(content.encode() if isinstance(content, str) else content), **options)


def written(table: pa.Table, format: TableFormat | None = None) -> bytes:
    sink = io.BytesIO()
    write_csv(table, sink, format)
    return sink.getvalue()


def column(*cells: str, header: str = "x,y", rest: str = ",0") -> pa.ChunkedArray:
    return read(header + "\n" + "".join(f"{cell}{rest}\n" for cell in cells))[0][0]


def refusal(content: str | bytes, **options: Any) -> EngineError:
    with pytest.raises(EngineError) as refused:
        read(content, **options)
    assert SECRET not in str(refused.value)
    assert refused.value.__context__ is None or SECRET not in str(refused.value.__context__)
    return refused.value


# --- cells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        (["1", "-2"], pa.int64(), [1, -2]),
        (["1", "2.5"], pa.float64(), [1.0, 2.5]),
        (["1e3", "-.5"], pa.float64(), [1000.0, -0.5]),
        (["true", "FALSE", "True"], pa.bool_(), [True, False, True]),
        (["2020-01-31"], pa.date32(), [date(2020, 1, 31)]),
        (["2020-01-31T10:00:00Z"], pa.timestamp("s", "UTC"), [datetime(2020, 1, 31, 10, tzinfo=UTC)]),
        (["007", "12"], pa.string(), ["007", "12"]),
        (["0", "0.5", "-0.5"], pa.float64(), [0.0, 0.5, -0.5]),
        (["01234.5"], pa.string(), ["01234.5"]),
        (["1234567890123456789"], pa.string(), ["1234567890123456789"]),
        (["123456789012345678"], pa.int64(), [123456789012345678]),
        (["0.12345678901234567890"], pa.float64(), [0.12345678901234568]),
        (["a", "1"], pa.string(), ["a", "1"]),
        (["true", "1"], pa.string(), ["true", "1"]),
        (["yes", "no"], pa.string(), ["yes", "no"]),
        ([" 1", "2 "], pa.int64(), [1, 2]),
        ([" a", "b"], pa.string(), [" a", "b"]),
        (['"1"', '""', '"NA"'], pa.int64(), [1, None, None]),
        (['"a"', '""', '"NA"'], pa.string(), ["a", "", "NA"]),
        (['"a ""b"""', '"c,d"', '"e\nf"'], pa.string(), ['a "b"', "c,d", "e\nf"]),
        (["", "NA"], pa.null(), [None, None]),
        (["0x1f"], pa.string(), ["0x1f"]),
    ],
)
def test_a_column_is_the_first_type_that_all_its_cells_read_as(
    cells: list[str], type_: pa.DataType, values: list[Any]
) -> None:
    found = column(*cells)
    assert found.type == type_
    assert found.to_pylist() == values


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"])
@pytest.mark.parametrize("cell", ["1", "1.5", "true", "2020-01-31", "text"])
def test_missing_cells_do_not_change_the_type(missing: str, cell: str) -> None:
    assert column(cell, missing, cell).type == column(cell).type
    assert column(cell, missing, cell).null_count == 1


def test_one_late_cell_makes_the_whole_column_text() -> None:
    assert column(*["1"] * 5000, "x").type == pa.string()
    assert column(*[""] * 5000, "1").type == pa.int64()


def test_decimal_commas_are_understood_beside_other_delimiters() -> None:
    table, format = read("a;b;c\n1,5;2;x\n-0,25;;y\n")
    assert table.to_pydict() == {"a": [1.5, -0.25], "b": [2, None], "c": ["x", "y"]}
    assert (format.delimiter, format.decimal) == (";", ",")
    assert read("a;b\n1,5;1\n1.5;2\n")[0]["a"].type == pa.string()
    assert read('a,b\n"1,5",1\n')[0]["a"].type == pa.string()


# --- the file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    content = "name,ä;b|c\tx,1\n".replace(",", delimiter, 1)
    table, format = read(f"a{delimiter}b\nx{delimiter}1\n{content.split(delimiter)[0]}{delimiter}2\n")
    assert table.column_names == ["a", "b"]
    assert format.delimiter == delimiter


def test_delimiters_in_quotes_do_not_count() -> None:
    table, format = read('"a;b";"c,d,e"\n"1;2";"3,4,5"\n')
    assert table.column_names == ["a;b", "c,d,e"]
    assert format.delimiter == ";"


def test_a_single_column_needs_no_delimiter() -> None:
    table, _ = read("age\n1\n\n2\n")
    assert table.to_pydict() == {"age": [1, 2]}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends(end: str, last: str) -> None:
    table, format = read(end.join(["", "a,b", "1,2", "", "3,4"]) + (end if last else ""))
    assert table.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert format.line_end == ("\r\n" if end == "\r\n" else "\n")


@pytest.mark.parametrize("header", ["a,a,a", "a,a,a.1", "a.1,a,a", "b,,b", '"a,b","a,b",c'])
def test_labels_are_made_unique_as_pandas_does_and_it_is_said(header: str) -> None:
    with pytest.warns(AvatarsWarning, match="more than once"):
        names = read(f"{header}\n1,2,3\n")[0].column_names
    assert names == list(pd.read_csv(io.StringIO(f"{header}\n1,2,3\n")).columns)


def test_columns_without_a_label_get_one_as_in_pandas() -> None:
    assert read(",b,\n1,2,3\n")[0].column_names == ["Unnamed: 0", "b", "Unnamed: 2"]


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-8"),
    ],
)
def test_a_byte_order_mark_says_the_encoding(bom: bytes, encoding: str) -> None:
    table, format = read(bom + "é,b\nü,1\n".encode(encoding))
    assert table.to_pydict() == {"é": ["ü"], "b": [1]}
    assert format.bom == bool(bom)


def test_another_encoding_can_be_said() -> None:
    assert read("é,b\nü,1\n".encode("latin-1"), encoding="latin-1")[0].to_pydict() == {"é": ["ü"], "b": [1]}


@pytest.mark.parametrize("content", ["é,b\n1,2\n", "a,b\nü,1\n", "a,b\n" + "1,2\n" * 10 + "1,ü\n"])
def test_a_wrong_encoding_is_refused_with_the_way_out(content: str) -> None:
    error = refusal(content.encode("latin-1"))
    assert isinstance(error, InvalidTable)
    assert error.code == "wrong_encoding"
    assert "encoding='cp1252'" in str(error)
    assert refusal("a,ü\n1,2".encode("latin-1"), encoding="utf-8").code == "wrong_encoding"


def test_an_encoding_that_nobody_knows() -> None:
    error = refusal("a,b\n1,2\n", encoding="klingon")
    assert isinstance(error, InvalidParameter)
    assert error.code == "unknown_encoding"


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (f"a,b\n1,2\n{SECRET},3,4\n", 2),
        (f"a,b\n1,2\n\n1,2\n{SECRET}\n", 3),
        (f'a,b\n"x\ny",2\n{SECRET},3,4\n', 2),
        (f"a;b\n{SECRET};2;3\n", 1),
        ("a,b\n" + "1,2\n" * 3000 + f"{SECRET},3,4\n", 3001),
    ],
)
def test_ragged_rows_are_refused_by_number_and_never_by_cell(content: str, row: int) -> None:
    error = refusal(content)
    assert error.code == "ragged_rows"
    assert f"Row {row} (the header not counted)" in str(error)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_table"),
        (b" \n\n", "empty_table"),
        (codecs.BOM_UTF8, "empty_table"),
        (b"a,b", "empty_table"),
        (b"a,b\n", "empty_table"),
        (b"a,b\n\n\r\n", "empty_table"),
        (b"<!DOCTYPE html><html></html>", "unreadable_file"),
        (b"\n<html>", "unreadable_file"),
        (b"PK\x03\x04\x14\x00", "unreadable_file"),
        (b"%PDF-1.7\n", "unreadable_file"),
        (b'{"a": 1}', "unreadable_file"),
        (b'[{"a": 1}]', "unreadable_file"),
        (b"a,b\n\x00\x01,2\n", "unreadable_file"),
        (b"\x89PNG\r\n\x1a\n\x00", "unreadable_file"),
        (f'a,b\n1,"{SECRET}\n3,4\n'.encode(), "unreadable_file"),
        (b'"' + b"a" * 200_000 + b"\n1\n", "unreadable_file"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, code: str) -> None:
    assert refusal(content).code == code


@pytest.mark.parametrize("label", ["<18", "[1]", "{x}", "PAR1", "%", "PK", "BZh"])
def test_labels_may_look_a_little_like_other_files(label: str) -> None:
    assert read(f"{label},b\n1,2\n")[0].column_names == [label, "b"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_a_sentence(content: bytes) -> None:
    with suppress(EngineError):
        assert read(content)[0].num_rows > 0


# --- there and back --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n,y\n",
        "a;b\r\n1,5;x\r\n2,25;y\r\n",
        "ok\nTRUE\nFALSE\nNA\n",
        "a|ok\n1|true\n2|false\n",
        "day,moment,zone\n2020-01-31,2020-01-31T10:11,2020-01-31 10:11:12.500+02:00\n,,\n",
        'text,n\n"a,b",1\n"say ""hi""",2\n"",3\n"NA",4\n,5\n"two\nlines",6\n',
        "a\n1.5\n2.0\n1e+20\n-0.001\n",
        '"semi;colon",b\n1,2\n',
    ],
)
def test_a_file_is_written_as_it_was(content: str) -> None:
    table, format = read(content)
    assert written(table, format).decode() == content


@pytest.mark.parametrize(("cells", "spelling"), [("true", ("true", "false")), ("FALSE", ("TRUE", "FALSE"))])
def test_the_spelling_of_one_truth_value_tells_the_other(cells: str, spelling: tuple[str, str]) -> None:
    _, format = read(f"a,b\n{cells},1\n")
    style = format.columns["a"]
    table = pa.table({"a": [True, False], "b": [1, 1]})
    assert written(table, format).decode() == f"a,b\n{spelling[0]},1\n{spelling[1]},1\n"
    assert style == TableFormat.from_dict(format.to_dict()).columns["a"]


def test_a_byte_order_mark_and_compression_are_kept() -> None:
    content = codecs.BOM_UTF8 + b"a,b\n1,2\n"
    table, format = read(content)
    assert written(table, format) == content
    table, format = read(content, gzip=True)
    assert written(table, format)[:2] == b"\x1f\x8b"
    assert written(table, format) == written(table, format)


def test_types_that_csv_has_not_are_written_in_plain_words() -> None:
    table = pa.table(
        {
            "dictionary": pa.array(["a", None]).dictionary_encode(),
            "decimal": pa.array([1, None]).cast(pa.decimal128(21, 2)),
            "time": pa.array([3661, None], pa.time32("s")),
            "duration": pa.array([90, None], pa.duration("s")),
            "single": pa.array([0.1, float("nan")], pa.float32()),
            "view": pa.array(["x,y", ""], pa.string_view()),
            "null": pa.nulls(2),
        }
    )
    assert written(table).decode().splitlines()[1:] == ['a,1.00,01:01:01,90,0.1,"x,y",', ',,,,,"",']


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (("01/02/2024", "31/12/2024"), date(2024, 2, 1)),
        (("01/02/2024", "12/31/2024"), date(2024, 1, 2)),
        (("01.02.2024", "02.02.2024"), date(2024, 2, 1)),
        (("01/02/2024 10:30", "31/12/2024 00:00"), datetime.fromisoformat("2024-02-01T10:30")),
        (("05/05/2024", "06/06/2024"), date(2024, 5, 5)),
    ],
)
def test_dates_are_dates_where_one_cell_tells_the_day_from_the_month(cells: tuple[str, str], first: date) -> None:
    content = "when,x\n" + "".join(f"{cell},1\n" for cell in cells)
    table, found = read(content.encode())
    assert table["when"][0].as_py() == first
    assert written(table, found).decode() == content


@pytest.mark.parametrize("cells", [("01/02/2024", "03/04/2024"), ("31/12/2024", "12/31/2024"), ("31/02/2024", "")])
def test_dates_that_may_be_two_days_stay_text(cells: tuple[str, str]) -> None:
    table, _ = read(("when,x\n" + "".join(f"{cell},1\n" for cell in cells)).encode())
    assert table["when"].to_pylist() == [cell or None for cell in cells]


CELLS: list[st.SearchStrategy[Any]] = [
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(date(1000, 1, 1)).map("{:%d/%m/%Y}".format),
    st.datetimes(datetime.fromisoformat("1000-01-01")).map("{:%m/%d/%Y %H:%M}".format),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.sampled_from(["NA", "", "007", "12", "1,5", "a;b", '"', "\r\n", " ", " x", "true", "2020-01-01", "null", "#"]),
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(1, 6))
    columns = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=4))
    arrays = [draw(st.lists(st.none() | cells, min_size=rows, max_size=rows)) for cells in columns]
    labels = st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        min_size=len(arrays),
        max_size=len(arrays),
        unique=True,
    )
    return pa.table([pa.array(array) for array in arrays], names=draw(labels))


formats = st.builds(
    TableFormat,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([",", "."]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)


@settings(deadline=None)
@given(tables(), formats)
def test_a_table_that_was_read_reads_the_same_after_it_is_written(made: pa.Table, format: TableFormat) -> None:
    content = written(made, format)
    table, found = read(content)
    again, found_again = read(written(table, found))
    assert again.equals(table)
    assert written(again, found_again) == written(table, found)


@settings(deadline=None)
@given(tables(), st.sampled_from([",", ";", "\t", "|"]))
def test_other_readers_find_the_same_cells(made: pa.Table, delimiter: str) -> None:
    content = written(made, TableFormat(delimiter=delimiter)).decode()
    if made.num_columns == 1:
        delimiter = ","
    rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
    assert rows[0] == made.column_names
    assert len(rows) == made.num_rows + 1
    for name, cells in zip(made.column_names, list(zip(*rows[1:], strict=True)), strict=True):
        if pa.types.is_string(made[name].type):
            missing = "" if made.num_columns > 1 else "NA"
            assert list(cells) == [missing if value is None else value for value in made[name].to_pylist()]


def test_tables_longer_than_a_block_are_written_whole() -> None:
    made = pa.table({"n": range(150_000), "t": [f"row {number}" for number in range(150_000)]})
    table, _ = read(written(made))
    assert table.equals(made)
