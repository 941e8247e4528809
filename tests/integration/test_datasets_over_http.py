"""Ways in and out for datasets: streams, names, lists, formats, deletion, quota."""

from __future__ import annotations

import gzip
import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, upload

from avatars.server.app import create_app
from avatars.server.jobs.compute import Compute
from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

CSV = b"name;size\nAda;1,5\nBob;2,25\n"


def parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame), sink)
    return sink.getvalue()


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.mark.parametrize("media", ["text/csv", "application/octet-stream", "application/vnd.apache.parquet", None])
@pytest.mark.parametrize("kind", ["csv", "gzip", "parquet"])
def test_a_body_that_is_the_file_is_taken_whatever_its_label(
    http: TestClient, mine: Headers, media: str | None, kind: str
) -> None:
    content = IRIS.read_bytes()
    body = {"csv": content, "gzip": gzip.compress(content), "parquet": parquet(pd.read_csv(IRIS))}[kind]
    headers = mine if media is None else {**mine, "Content-Type": media}
    answer = http.post("/datasets/stream", params={"name": " iris "}, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    dataset = answer.json()
    assert (dataset["nb_lines"], dataset["name"]) == (150, "iris")
    assert dataset["filetype"] == ("parquet" if kind == "parquet" else "csv")
    assert http.get(f"/datasets/{dataset['id']}/download", headers=mine).content == content


def test_a_stream_may_be_a_form_too_and_its_own_name_wins(http: TestClient, mine: Headers) -> None:
    answer = http.post(
        "/datasets/stream",
        params={"name": "query"},
        files={"file": ("x", CSV)},
        data={"name": "form"},
        headers=mine,
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "form")
    for name in ("", " "):
        answer = http.post("/datasets/stream", params={"name": name}, files={"file": ("x", CSV)}, headers=mine)
        assert (answer.status_code, answer.json()["name"]) == (200, None)


def test_an_empty_body_and_a_name_without_end_are_refused(http: TestClient, mine: Headers) -> None:
    answer = http.post("/datasets/stream", content=b"", headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "no_file")
    assert http.post("/datasets/stream", params={"name": "x" * 256}, content=CSV, headers=mine).status_code == 422


@pytest.mark.databases("sqlite", "postgresql")
def test_the_list_has_ones_own_datasets_the_newest_first(http: TestClient, mine: Headers, log_in: LogIn) -> None:
    ids = [upload(http, mine, CSV) for _ in range(3)]
    upload(http, log_in(OTHER_USERNAME, OTHER_PASSWORD), CSV)
    listed = http.get("/datasets", headers=mine).json()
    assert [each["id"] for each in listed] == ids[::-1]
    assert listed[0] == http.get(f"/datasets/{ids[2]}", headers=mine).json()


@pytest.mark.parametrize("path", ["download", "download/stream"])
def test_a_table_comes_back_as_it_was_sent_or_as_parquet(http: TestClient, mine: Headers, path: str) -> None:
    id = upload(http, mine, CSV)
    answer = http.get(f"/datasets/{id}/{path}?as_uploaded=true", headers=mine)
    assert answer.content == CSV
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{id}.csv"'
    answer = http.get(f"/datasets/{id}/{path}?filetype=parquet", headers=mine)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    frame = pd.read_parquet(io.BytesIO(answer.content))
    assert frame["size"].tolist() == [1.5, 2.25]
    assert http.get(f"/datasets/{id}/{path}?filetype=pickle", headers=mine).status_code == 422


def test_formulas_are_made_harmless_for_spreadsheets_and_nowhere_else(http: TestClient, mine: Headers) -> None:
    cells = ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "plain", "a=b", ""]
    frame = pd.DataFrame({"=label": cells, "number": range(-4, 4)})
    id = upload(http, mine, frame.to_csv(index=False).encode())
    faithful = pd.read_csv(io.BytesIO(http.get(f"/datasets/{id}/download", headers=mine).content))
    assert faithful["=label"].tolist()[:7] == cells[:7]
    safe = pd.read_csv(
        io.BytesIO(http.get(f"/datasets/{id}/download?excel_safe=true", headers=mine).content), keep_default_na=False
    )
    assert safe["'=label"].tolist() == ["'=1+1", "'+1", "'-x", "'@SUM(A1)", "'\t=1", "plain", "a=b", ""]
    assert safe["number"].tolist() == list(range(-4, 4))


@pytest.mark.databases("sqlite", "postgresql")
def test_a_deleted_dataset_is_gone(http: TestClient, mine: Headers, app: FastAPI) -> None:
    id = upload(http, mine, CSV)
    answer = http.delete(f"/datasets/{id}", headers=mine)
    assert (answer.status_code, answer.json()) == (200, {"message": "The dataset is deleted."})
    for method, path in (("get", ""), ("get", "/download"), ("delete", ""), ("post", "/analyze")):
        assert http.request(method, f"/datasets/{id}{path}", headers=mine).status_code == 404
    assert app.state.storage.list("datasets") == []


@pytest.mark.databases("sqlite", "postgresql")
def test_a_user_may_take_as_much_room_as_the_quota_says(settings: Settings, compute: Compute) -> None:
    from avatars.server.accounts import service

    told = settings.model_copy(update={"user_quota_bytes": 1500})
    with TestClient(create_app(told, compute=compute)) as http:
        for name in ("ada", "bob"):
            service.create_user(http.app.state.database, name, "a long password")  # type: ignore[attr-defined]

        def headers(name: str) -> Headers:
            token = http.post("/login", data={"username": name, "password": "a long password"}).json()["access_token"]
            return {"Authorization": f"Bearer {token}"}

        ada = headers("ada")
        ids = [upload(http, ada, CSV)]
        while (answer := http.post("/datasets/stream", content=CSV, headers=ada)).status_code == 200:
            ids.append(answer.json()["id"])
            assert len(ids) < 5
        assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "quota_exceeded")
        upload(http, headers("bob"), CSV)
        for id in ids:
            http.delete(f"/datasets/{id}", headers=ada)
        upload(http, ada, CSV)
