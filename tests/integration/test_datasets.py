"""Datasets over HTTP, with a real database, real storage and a real worker process."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn

from avatars.server.datasets.models import Dataset, DatasetKind

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

PEOPLE = b"age,weight,sex,smoker\n31,60.5,f,True\n45,81.0,m,False\n52,,m,True\n"


@pytest.fixture
def mine(log_in: LogIn) -> dict[str, str]:
    return log_in()


def upload(http: TestClient, headers: dict[str, str], content: bytes = PEOPLE, **form: str) -> dict[str, Any]:
    answer = http.post("/datasets", files={"file": ("people.csv", content, "text/csv")}, data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    described: dict[str, Any] = answer.json()
    return described


def refusal(http: TestClient, headers: dict[str, str], content: bytes) -> dict[str, Any]:
    """The detail of the 400 that an upload gets; nothing of the file is left."""
    answer = http.post("/datasets", files={"file": ("people.csv", content, "text/csv")}, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    detail: dict[str, Any] = answer.json()["detail"]
    assert next(iter(detail)) == "message"
    assert stored_files(http) == []
    return detail


def stored_files(http: TestClient) -> list[str]:
    app = http.app
    assert isinstance(app, FastAPI)
    storage = app.state.storage
    return [f"datasets/{id}/{name}" for id in storage.list("datasets") for name in storage.list(f"datasets/{id}")]


@pytest.mark.databases("sqlite", "postgresql")
def test_an_upload_is_described(http: TestClient, mine: dict[str, str]) -> None:
    described = upload(http, mine, name="My people")
    assert described["hash"] == hashlib.sha256(PEOPLE).hexdigest()
    assert described["name"] == "My people"
    assert described["nb_lines"] == 3
    assert described["columns"] == [
        {"type": "int", "label": "age"},
        {"type": "float", "label": "weight"},
        {"type": "category", "label": "sex"},
        {"type": "bool", "label": "smoker"},
    ]
    # Two numbers, two sexes, two answers about smoking.
    assert described["nb_dimensions"] == 6
    assert described["filetype"] == "csv"
    assert described["created_at"].endswith("Z")
    assert described["download_url"] == f"http://testserver/datasets/{described['id']}/download"
    assert http.get(f"/datasets/{described['id']}", headers=mine).json() == described


def test_the_files_of_an_upload_are_the_normal_form_and_nothing_else(http: TestClient, mine: dict[str, str]) -> None:
    id = upload(http, mine)["id"]
    assert stored_files(http) == [f"datasets/{id}/format.json", f"datasets/{id}/table.parquet"]


def test_a_csv_comes_back_as_it_was(http: TestClient, mine: dict[str, str]) -> None:
    content = 'id;size;when;why\n1;1,50;31/12/2020;"a;b"\n2;2,25;01/01/2021;é\n'.encode()
    address = f"/datasets/{upload(http, mine, content)['id']}/download"
    answer = http.get(address, params={"as_uploaded": "true"}, headers=mine)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == content.decode().replace("1,50", "1,5")
    # Who does not ask reads it with pandas, as client 0.2.1 does, which knows nothing of semicolons.
    frame = pd.read_csv(io.StringIO(http.get(address, headers=mine).text))
    assert frame.columns.tolist() == ["id", "size", "when", "why"]
    assert frame["size"].tolist() == [1.5, 2.25]
    assert frame["why"].tolist() == ["a;b", "é"]


@pytest.mark.parametrize("query", [{}, {"filetype": ""}, {"filetype": "csv"}])
def test_csv_is_what_is_downloaded_by_default(http: TestClient, mine: dict[str, str], query: dict[str, str]) -> None:
    answer = http.get(f"/datasets/{upload(http, mine)['id']}/download", params=query, headers=mine)
    assert answer.content == PEOPLE


def test_parquet_can_be_downloaded(http: TestClient, mine: dict[str, str]) -> None:
    answer = http.get(f"/datasets/{upload(http, mine)['id']}/download", params={"filetype": "parquet"}, headers=mine)
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column_names == ["age", "weight", "sex", "smoker"]
    assert table["age"].to_pylist() == [31, 45, 52]


def test_an_unknown_file_type_is_refused(http: TestClient, mine: dict[str, str]) -> None:
    answer = http.get(f"/datasets/{upload(http, mine)['id']}/download", params={"filetype": "xlsx"}, headers=mine)
    assert answer.status_code == 422


def test_parquet_under_a_csv_label_is_recognised(http: TestClient, mine: dict[str, str]) -> None:
    sink = io.BytesIO()
    frame = pd.DataFrame({"n": [1, 2], "c": pd.Categorical(["x", "y"], categories=["y", "x", "z"])})
    frame.to_parquet(sink)
    described = upload(http, mine, sink.getvalue())
    assert described["filetype"] == "parquet"
    assert described["columns"] == [{"type": "int", "label": "n"}, {"type": "category", "label": "c"}]
    answer = http.get(f"/datasets/{described['id']}/download", params={"filetype": "parquet"}, headers=mine)
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(answer.content)), frame)


def test_a_large_csv_comes_back_whole_in_pieces(http: TestClient, mine: dict[str, str]) -> None:
    rows = "".join(f"{number},{number / 8}\n" for number in range(200_000))
    content = f"a,b\n{rows}".replace(".0\n", "\n").encode()
    described = upload(http, mine, content)
    assert described["nb_lines"] == 200_000
    answer = http.get(f"/datasets/{described['id']}/download", headers=mine)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(answer.content)), pd.read_csv(io.BytesIO(content)))


def test_gzip_and_a_byte_order_mark_are_read_and_not_sent_back(http: TestClient, mine: dict[str, str]) -> None:
    id = upload(http, mine, gzip.compress(b"\xef\xbb\xbf" + PEOPLE))["id"]
    assert http.get(f"/datasets/{id}/download", headers=mine).content == PEOPLE


def test_duplicate_headers_are_coped_with(http: TestClient, mine: dict[str, str]) -> None:
    described = upload(http, mine, b"goals,goals,team\n1,2,a\n3,4,b\n")
    assert [column["label"] for column in described["columns"]] == ["goals", "goals.1", "team"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_table"),
        (b"\n\n", "empty_table"),
        (b"age,weight\n", "empty_table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "unreadable_file"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unreadable_file"),
        (b"PAR1" + bytes(100), "unreadable_file"),
        (b"\x1f\x8b\x08" + bytes(30), "unreadable_file"),
        ("age,prénom\n1,é\n".encode("latin-1"), "wrong_encoding"),
        (b"age,weight\n1,2\n3\n4,5,6\n", "ragged_rows"),
    ],
)
def test_what_is_not_a_table_is_refused_with_a_sentence(
    http: TestClient, mine: dict[str, str], content: bytes, code: str
) -> None:
    detail = refusal(http, mine, content)
    assert detail["code"] == code
    assert detail["message"].endswith(".")


def test_infinite_values_are_refused_naming_the_column(http: TestClient, mine: dict[str, str]) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"age": [1.0, 2.0], "weight": [1.0, float("inf")]}), sink)
    detail = refusal(http, mine, sink.getvalue())
    assert (detail["code"], detail["column"]) == ("infinite_values", "weight")
    assert "weight" in detail["message"]


@pytest.mark.parametrize("content", [b"age,name\n1,Ada Lovelace\n2,Bob,extra\n", b"\x1f\x8bAda Lovelace"])
def test_no_refusal_quotes_a_cell(http: TestClient, mine: dict[str, str], content: bytes) -> None:
    assert "Ada" not in str(refusal(http, mine, content))


def test_the_body_of_a_stranger_is_not_read(http: TestClient) -> None:
    answer = http.post("/datasets", files={"file": ("people.csv", PEOPLE, "text/csv")})
    assert answer.status_code == 401
    assert "authenticated" in answer.json()["detail"]
    assert stored_files(http) == []


@pytest.mark.databases("sqlite", "postgresql")
def test_somebody_elses_dataset_is_not_there(http: TestClient, mine: dict[str, str], log_in: LogIn) -> None:
    id = upload(http, mine)["id"]
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    body = {"columns": [{"label": "age", "type": "float"}]}
    for address in (id, str(uuid4())):
        answers = [
            http.get(f"/datasets/{address}", headers=others),
            http.get(f"/datasets/{address}/download", headers=others),
            http.patch(f"/datasets/{address}", json=body, headers=others),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert all("no dataset" in answer.json()["detail"]["message"] for answer in answers)


@pytest.mark.parametrize("route", ["", "/download"])
def test_an_id_that_is_none_is_refused(http: TestClient, mine: dict[str, str], route: str) -> None:
    assert http.get(f"/datasets/not-an-id{route}", headers=mine).status_code == 422


@pytest.mark.databases("sqlite", "postgresql")
def test_types_can_be_declared_for_some_columns(http: TestClient, mine: dict[str, str]) -> None:
    id = upload(http, mine)["id"]
    body = {"columns": [{"label": "age", "type": "category"}]}
    answer = http.patch(f"/datasets/{id}", json=body, headers=mine)
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert [column["type"] for column in changed["columns"]] == ["category", "float", "category", "bool"]
    # Three ages instead of one number.
    assert changed["nb_dimensions"] == 8
    assert http.get(f"/datasets/{id}", headers=mine).json() == changed
    # And back: what was detected comes back with its dimensions.
    back = http.patch(f"/datasets/{id}", json={"columns": [{"label": "age", "type": "int"}]}, headers=mine).json()
    assert back["nb_dimensions"] == 6


def test_declaring_an_unknown_column_names_the_nearest(http: TestClient, mine: dict[str, str]) -> None:
    id = upload(http, mine)["id"]
    answer = http.patch(f"/datasets/{id}", json={"columns": [{"label": "wieght", "type": "float"}]}, headers=mine)
    assert answer.status_code == 400
    detail = answer.json()["detail"]
    assert detail["code"] == "unknown_column"
    assert "'wieght'" in detail["message"]
    assert "'weight'" in detail["message"]


def test_a_type_that_the_values_do_not_have_is_refused_and_nothing_changes(
    http: TestClient, mine: dict[str, str]
) -> None:
    described = upload(http, mine)
    body = {"columns": [{"label": "sex", "type": "int"}]}
    answer = http.patch(f"/datasets/{described['id']}", json=body, headers=mine)
    assert answer.status_code == 400
    assert "sex" in answer.json()["detail"]["message"]
    assert http.get(f"/datasets/{described['id']}", headers=mine).json() == described


def test_a_type_that_does_not_exist_is_refused(http: TestClient, mine: dict[str, str]) -> None:
    id = upload(http, mine)["id"]
    answer = http.patch(f"/datasets/{id}", json={"columns": [{"label": "sex", "type": "gender"}]}, headers=mine)
    assert answer.status_code == 422


def test_downloading_unshuffled_avatars_is_noted(
    http: TestClient, mine: dict[str, str], app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    id = upload(http, mine)["id"]
    with caplog.at_level(logging.INFO):
        http.get(f"/datasets/{id}/download", headers=mine)
        assert "sensitive_dataset.downloaded" not in caplog.text
        with app.state.database.write() as session:
            (row,) = session.query(Dataset)
            row.kind = DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS
        http.get(f"/datasets/{id}/download", headers=mine)
    assert "sensitive_dataset.downloaded" in caplog.text
    assert id in caplog.text
