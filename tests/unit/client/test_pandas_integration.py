"""Frames there and back with every dtype, and frames that cannot be sent."""

from __future__ import annotations

import datetime
import io
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from avatars.client import ApiClient
from avatars.errors import InvalidInput, UnexpectedAnswer

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]

ID = UUID("00000000-0000-0000-0000-000000000001")


class Shelf:
    """A platform that gives back the file that it was sent, or another one in its place."""

    def __init__(self) -> None:
        self.file = b""
        self.columns: list[dict[str, str]] = []
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if request.method == "POST":
            self.file = request.content.partition(b"text/csv\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        elif request.url.path.endswith("/download"):
            return httpx2.Response(200, content=self.file)
        dataset = {"id": str(ID), "hash": "", "download_url": "", "columns": self.columns}
        return httpx2.Response(200, json=dataset)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def client(new_client: NewClient, shelf: Shelf) -> ApiClient:
    return new_client(shelf)


def there_and_back(client: ApiClient, frame: pd.DataFrame) -> pd.DataFrame:
    dataset = client.pandas_integration.upload_dataframe(frame)
    return client.pandas_integration.download_dataframe(dataset.id)


COLUMNS: dict[str, Any] = {
    "int64": np.array([1, -2, 3]),
    "int8": np.array([1, -2, 3], dtype="int8"),
    "uint64": np.array([0, 1, 2**64 - 1], dtype="uint64"),
    "float64": [0.1, np.nan, np.inf],
    "float32": np.array([0.1, np.nan, 3], dtype="float32"),
    "float16": np.array([0.5, np.nan, 3], dtype="float16"),
    "bool": [True, False, True],
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "Float64": pd.array([1.5, None, 3], dtype="Float64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "str": ["a", "NaT", "Ünïcode"],
    "string": pd.array(["a", "NaT", "b"], dtype="string"),
    "object": pd.Series(["a", "NaT", "b"], dtype=object),
    "object bools": pd.Series([True, None, False], dtype=object),
    "all missing": pd.Series([None, None, None], dtype=object),
    "category": pd.Categorical(["lo", "hi", None], categories=["lo", "mid", "hi"], ordered=True),
    "category of ints": pd.Categorical([3, 1, 3]),
    "ordered category of ints": pd.Categorical([3, 1, 3], ordered=True),
    "category of dates": pd.Categorical(pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-02"])),
    "datetime ns": pd.to_datetime(["2020-01-01 12:34:56.123456789", "NaT", "2021-01-01 00:00:00.000000001"]).as_unit(
        "ns"
    ),
    "datetime us": pd.to_datetime(["2020-01-01 12:34:56.123456", "NaT", "2021-01-01 00:00:00.000001"]).as_unit("us"),
    "datetime s": pd.to_datetime(["2020-01-01", "NaT", "1066-10-14"]).as_unit("s"),
    "datetime tz": pd.to_datetime(["2020-01-01", "NaT", "2021-01-01"]).tz_localize("Europe/Paris"),
    "datetime tz s": pd.to_datetime(["2020-01-01", "NaT", "2021-01-01"]).as_unit("s").tz_localize("Asia/Tokyo"),
    "timedelta s": pd.to_timedelta([1, 2, 3], unit="h").as_unit("s"),
    "timedelta ns": pd.to_timedelta([1, 2, 3], unit="ns"),
    "date": pd.Series([datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)], dtype=object),
    "decimal": pd.Series([Decimal("1.50"), None, Decimal("2.25")], dtype=object),
    "arrow ints": pd.array([1, None, 3], dtype="int64[pyarrow]"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_dtype_comes_back(client: ApiClient, name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name], "other": [1, 2, 3]})
    assert_frame_equal(there_and_back(client, frame), frame)


def test_all_dtypes_in_one_frame_and_the_callers_frame_is_left_alone(client: ApiClient) -> None:
    frame = pd.DataFrame(COLUMNS)
    before = pickle.dumps(frame)
    assert_frame_equal(there_and_back(client, frame), frame)
    assert pickle.dumps(frame) == before


def test_sparse_columns_come_back_dense(client: ApiClient) -> None:
    frame = pd.DataFrame({"x": pd.arrays.SparseArray([1, 0, 0])})
    assert_frame_equal(there_and_back(client, frame), pd.DataFrame({"x": [1, 0, 0]}))


@pytest.mark.parametrize(
    "labels",
    [
        pd.Index([10, 20]),
        pd.Index(["b", "a"], name="attribute"),
        pd.MultiIndex.from_tuples([("x", "mean"), ("x", "std")]),
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
    ],
    ids=["numbers", "names", "levels", "dates"],
)
def test_labels_keep_their_kind(client: ApiClient, labels: pd.Index) -> None:
    frame = pd.DataFrame([[1, "u"], [2, "v"]], columns=labels)
    assert_frame_equal(there_and_back(client, frame), frame, check_column_type=False, check_freq=False)


def test_labels_of_different_kinds_become_text(client: ApiClient) -> None:
    frame = pd.DataFrame([[1, "u"], [2, "v"]], columns=["a", 7])
    assert_frame_equal(there_and_back(client, frame), frame.rename(columns=str))
    assert frame.columns.tolist() == ["a", 7]


def test_neither_index_nor_attrs_leave_the_program(client: ApiClient, shelf: Shelf) -> None:
    frame = pd.DataFrame({"age": [1, 2]}, index=pd.Index(["Ada Lovelace", "Grace Hopper"], name="patient"))
    frame.attrs["source"] = "/home/someone/patients.db"
    client.pandas_integration.upload_dataframe(frame)
    schema = pq.read_schema(io.BytesIO(shelf.file))
    assert schema.names == ["age"]
    for secret in ("Ada", "patient", "someone"):
        assert secret.encode() not in shelf.file
        assert secret not in str(schema.metadata)
    assert frame.attrs["source"]


def test_it_travels_as_compressed_parquet_under_a_name(client: ApiClient, shelf: Shelf) -> None:
    client.pandas_integration.upload_dataframe(pd.DataFrame({"a": [1]}), name="visits")
    assert b'name="name"\r\n\r\nvisits\r\n' in shelf.requests[-1].content
    assert pq.ParquetFile(io.BytesIO(shelf.file)).metadata.row_group(0).column(0).compression == "ZSTD"
    client.pandas_integration.download_dataframe(ID)
    assert shelf.requests[-1].url.params["filetype"] == "parquet"


CELLS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(),
    "bool": st.booleans(),
    "object": st.none() | st.text(),
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1),
    "datetime64[us]": st.none() | st.datetimes(),
    "category": st.none() | st.text(max_size=3),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 5))
    labels = draw(st.lists(st.text(), min_size=1, max_size=4, unique=True))
    columns = {}
    for label in labels:
        dtype = draw(st.sampled_from(list(CELLS)))
        cells = draw(st.lists(CELLS[dtype], min_size=rows, max_size=rows))
        columns[label] = pd.Series(cells, dtype=dtype)
    return pd.DataFrame(columns)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(frame=frames())
def test_any_frame_comes_back(client: ApiClient, frame: pd.DataFrame) -> None:
    assert_frame_equal(there_and_back(client, frame), frame)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (pd.DataFrame({"x": [1, "s3cret"]}, dtype=object), r"Column 'x' mixes kinds of values \(int, str\): convert"),
        (pd.DataFrame({"x": ["s3cret", 1.5, None]}, dtype=object), r"Column 'x' mixes .* \(float, str\)"),
        (pd.DataFrame({"x": [True, 1]}, dtype=object), r"Column 'x' mixes .* \(bool, int\)"),
        (pd.DataFrame({"x": [pd.Timestamp("2020"), 1]}, dtype=object), r"Column 'x' mixes .* \(Timestamp, int\)"),
        (pd.DataFrame({"x": pd.Categorical([1, "s3cret"])}), r"Column 'x' \(category\) is not of a kind"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "Column 'x' is there more than once"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "Column '1' is there more than once"),
        (pd.DataFrame({"x": [[1], [2]]}), r"Column 'x' \(list\) is not of a kind"),
        (pd.DataFrame({"x": [{"s3cret": 1}]}), r"Column 'x' \(dict\) is not of a kind"),
        (pd.DataFrame({"x": [b"s3cret"]}), r"Column 'x' \(bytes\) is not of a kind"),
        (pd.DataFrame({"x": [2**70, 1]}, dtype=object), r"Column 'x' \(int\) .* at most 64 bits"),
        (pd.DataFrame({"x": [1j]}), r"Column 'x' \(complex128\)"),
        (pd.DataFrame({"x": pd.period_range("2020", periods=2, freq="M")}), r"Column 'x' \(period\[M\]\)"),
        (pd.DataFrame({"x": pd.interval_range(0, 2)}), r"Column 'x' \(interval\[int64, right\]\)"),
        (pd.DataFrame({"x": ["\ud800s3cret"]}, dtype=object), r"Column 'x' \(str\)"),
        (pd.DataFrame({"x": []}), "no rows or no columns"),
        (pd.DataFrame(index=[1, 2]), "no rows or no columns"),
        ({"x": [1]}, "takes a pandas.DataFrame or an Arrow table"),
    ],
)
def test_what_cannot_be_sent_is_said_with_its_column_and_without_its_cells(
    client: ApiClient, shelf: Shelf, frame: Any, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        client.pandas_integration.upload_dataframe(frame)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not shelf.requests


def test_numbers_with_gaps_that_were_whole_become_floats(client: ApiClient, shelf: Shelf) -> None:
    # A platform may have to empty cells of a column that was full: nothing is invented to keep the dtype.
    client.pandas_integration.upload_dataframe(pd.DataFrame({"i": [1, 2], "b": [True, False]}))
    table = pq.read_table(io.BytesIO(shelf.file))
    holes = pa.table(
        {"i": pa.array([1, None]), "b": pa.array([None, True])},
        schema=table.schema.with_metadata(table.schema.metadata),
    )
    sink = io.BytesIO()
    pq.write_table(holes, sink)
    shelf.file = sink.getvalue()
    frame = client.pandas_integration.download_dataframe(ID)
    assert frame["i"].isna().tolist() == [False, True]
    assert frame["b"].isna().tolist() == [True, False]


def test_a_parquet_file_without_pandas_own_words(client: ApiClient, shelf: Shelf) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), sink)
    shelf.file = sink.getvalue()
    assert_frame_equal(client.pandas_integration.download_dataframe(ID), pd.DataFrame({"a": [1, 2], "b": ["x", None]}))


def test_csv_in_place_of_parquet_is_read_with_the_declared_types(client: ApiClient, shelf: Shelf) -> None:
    shelf.file = b"i,j,f,b,c,d\n1,1,0.5,True,NA,2020-01-01T10:00:00\n2,,,False,,\n"
    kinds = {"i": "int", "j": "int", "f": "float", "b": "bool", "c": "category", "d": "datetime"}
    shelf.columns = [{"label": label, "type": kind} for label, kind in kinds.items()]
    frame = client.pandas_integration.download_dataframe(ID)
    assert frame.dtypes.astype(str).to_dict() == {
        "i": "int64", "j": "Int64", "f": "float64", "b": "bool", "c": "category", "d": "datetime64[us]",
    }  # fmt: skip
    assert frame["c"].iloc[0] == "NA"
    assert frame.isna().sum().to_dict() == {"i": 0, "j": 1, "f": 1, "b": 0, "c": 1, "d": 1}


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        (b"PAR1 s3cret", []),
        (b"a\ns3cret\n", [{"label": "a", "type": "int"}]),
        (b"a\n1\n", [{"label": "b", "type": "datetime"}]),
        (b"", []),
    ],
)
def test_a_file_that_is_not_what_it_says_is_said_without_its_cells(
    client: ApiClient, shelf: Shelf, file: bytes, columns: list[dict[str, str]]
) -> None:
    shelf.file, shelf.columns = file, columns
    with pytest.raises(UnexpectedAnswer) as caught:
        client.pandas_integration.download_dataframe(ID)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__
