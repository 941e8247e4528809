"""Uploads that are repeated, come in parts or as Arrow; the storage full or away; over HTTP, with a real worker."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import Headers

from avatars.server import housekeeping
from avatars.server.app import create_app
from avatars.server.db import Database
from avatars.server.jobs.compute import Compute
from avatars.server.settings import Settings
from avatars.server.storage import StorageAway, StorageFull

CSV = b"age,sex\n31,f\n45,m\n52,f\n"
TABLE = pa.table({"age": [31, 45, 52], "sex": ["f", "m", "f"]})
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


def test_an_upload_that_is_repeated_is_one_dataset(
    http: TestClient, mine: Headers, app: FastAPI, log_in: LogIn
) -> None:
    keyed = mine | {"Idempotency-Key": str(uuid4())}
    first = http.post("/datasets", files={"file": CSV}, headers=keyed)
    again = http.post("/datasets/stream", content=CSV, headers=keyed)
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert first.json() == again.json()
    other = http.post("/datasets/stream", content=CSV + b"1,m\n", headers=keyed)
    assert (other.status_code, other.json()["detail"]["code"]) == (409, "idempotency_key_reused")
    assert app.state.storage.list("datasets") == [first.json()["id"]]
    # A key is its user's; none at all is none.
    theirs = http.post("/datasets/stream", content=CSV, headers=keyed | log_in(OTHER_USERNAME, OTHER_PASSWORD))
    plain = [http.post("/datasets/stream", content=CSV, headers=mine).json()["id"] for _ in range(2)]
    assert len({first.json()["id"], theirs.json()["id"], *plain}) == 4


def test_uploads_that_are_repeated_at_the_same_time_are_one_dataset(
    http: TestClient, mine: Headers, app: FastAPI
) -> None:
    keyed = mine | {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: http.post("/datasets/stream", content=CSV, headers=keyed), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert app.state.storage.list("datasets") == [answers[0].json()["id"]]


def test_parts_and_arrow_streams_become_datasets(http: TestClient, mine: Headers) -> None:
    parts = []
    for start in (0, 2):
        sink = io.BytesIO()
        pq.write_table(TABLE.slice(start, 2), sink)
        parts.append(("file", (uuid4().hex, sink.getvalue(), "application/octet-stream")))
    in_parts = http.post("/datasets/stream", files=parts, headers=mine)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    size = len(sink.getvalue()).to_bytes(4, "big")
    framed = (
        b"ARRBOS1" + (3).to_bytes(4, "big") + b"ARRB1" + size + sink.getvalue() + b"ARREOS1" + (1).to_bytes(4, "big")
    )
    in_arrow = http.post("/datasets/stream?name=mine&filetype=parquet", content=framed, headers=mine | ARROW)
    for answer in (in_parts, in_arrow):
        assert answer.status_code == 200, answer.text
        got = http.get(f"/datasets/{answer.json()['id']}/download/stream", headers=mine)
        assert got.content == CSV
    assert in_arrow.json()["name"] == "mine"
    broken = http.post("/datasets/stream", content=framed[:-1], headers=mine | ARROW)
    assert (broken.status_code, broken.json()["detail"]["code"]) == (400, "unreadable_file")


def test_storage_that_is_away_or_full_is_said_and_files_that_could_not_be_deleted_go_later(
    http: TestClient, mine: Headers, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = app.state.storage
    id = http.post("/datasets/stream", content=CSV, headers=mine).json()["id"]
    place = type(storage._place)
    with monkeypatch.context() as faults:
        for name in ("open_output", "open_input", "delete"):
            faults.setattr(place, name, _raise(StorageAway("no answer")))
        for answer in (
            http.post("/datasets/stream", content=CSV, headers=mine),
            http.get(f"/datasets/{id}/download", headers=mine),
        ):
            assert (answer.status_code, answer.json()["detail"]["code"]) == (503, "storage_unreachable")
        # The user is told that it is deleted, and nobody can reach it from now on.
        assert http.delete(f"/datasets/{id}", headers=mine).status_code == 200
        assert http.get(f"/datasets/{id}/download", headers=mine).status_code == 404
        faults.setattr(place, "open_output", _raise(StorageFull("no room")))
        answer = http.post("/datasets/stream", content=CSV, headers=mine)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (507, "storage_full")
    assert storage.list("datasets") == [id]
    assert housekeeping.clear(app.state.database, storage) == 0
    assert storage.list("datasets") == []
    assert http.post("/datasets/stream", content=CSV, headers=mine).status_code == 200


def _raise(error: Exception) -> object:
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it


def test_a_storage_belongs_to_one_database(http: TestClient, settings: Settings, compute: Compute) -> None:
    other = settings.model_copy(update={"database_url": f"sqlite:///{settings.data_dir / 'other.db'}"})
    with (
        pytest.raises(housekeeping.ForeignStorage, match="another database"),
        TestClient(create_app(other, compute=compute)),
    ):
        pass
    database = Database(settings.database_url)
    housekeeping.claim(database, http.app.state.storage)  # type: ignore[attr-defined]
    database.dispose()
