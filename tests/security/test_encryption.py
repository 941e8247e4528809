"""With a key file nothing of a table is readable on the disk, whoever wrote it: a mark is searched for everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.integration.steps import create, outcome, upload
from typer.testing import CliRunner

from avatars.cli import app as command
from avatars.server.app import create_app
from avatars.server.settings import Settings
from avatars.server.storage import Storage, UnusableKey
from avatars.server.storage.keys import add_key

if TYPE_CHECKING:
    from avatars.server.jobs.compute import Compute

MARKS = (b"canary-in-a-cell", b"31415926", "canary-in-a-cell".encode("utf-16-le"))
ROWS = "".join(f"{'canary-in-a-cell' if row % 2 else 'b'},{31415926 + row}\n" for row in range(60))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder, which can be searched, and keys."""
    (tmp_path / "data").mkdir(mode=0o700)
    add_key(tmp_path / "keys")
    return Settings(data_dir=tmp_path / "data", encryption_key_file=tmp_path / "keys", public_url="http://testserver")


def readable(folder: Path) -> set[str]:
    """Files in which a mark is found."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(mark in path.read_bytes() for mark in MARKS)}


def test_nothing_of_a_table_or_a_result_is_readable_on_the_disk(
    settings: Settings, compute: Compute, log_in: Callable[..., dict[str, str]], http: TestClient
) -> None:
    mine = log_in()
    id = upload(http, mine, f"name,number\n{ROWS}".encode())
    job = outcome(http, mine, create(http, mine, id)["id"])
    assert job["status"] == "success"
    # Refused uploads as well, and what a worker left in its own folders.
    http.post("/datasets", files={"file": f"name,number\n{ROWS}1\n".encode()}, headers=mine)
    storage = Storage(settings.storage_url, settings.encryption_key_file)
    keys = list(storage._place.all_keys())
    assert {key.rpartition("/")[2] for key in keys} == {
        "installation",
        "format.json",
        "table.parquet",
        "points.parquet",
    }
    assert readable(settings.data_dir) == set()
    assert readable(compute._settings.data_dir) == set()
    # It is there all the same.
    assert b"canary-in-a-cell" in http.get(f"/datasets/{id}/download", headers=mine).content


def start(settings: Settings, compute: Compute) -> str:
    """Start a platform; gives the sentence that it does not start with, or nothing."""
    try:
        app = create_app(settings, compute=compute)
    except UnusableKey as error:
        return str(error)
    try:
        with TestClient(app):
            return ""
    except UnusableKey:
        return str(app.state.failure)


def test_a_wrong_a_missing_or_no_key_stops_the_start_with_a_sentence(
    settings: Settings, compute: Compute, tmp_path: Path
) -> None:
    assert start(settings, compute) == ""
    assert "encrypted: set AVATARS_ENCRYPTION_KEY_FILE" in start(
        settings.model_copy(update={"encryption_key_file": None}), compute
    )
    add_key(tmp_path / "others")
    assert "is not in the key file: put that key back" in start(
        settings.model_copy(update={"encryption_key_file": tmp_path / "others"}), compute
    )
    assert "cannot be read" in start(settings.model_copy(update={"encryption_key_file": tmp_path / "none"}), compute)


def test_a_platform_is_encrypted_and_its_keys_are_changed_by_commands(
    tmp_path: Path, compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir, keys = tmp_path / "data", tmp_path / "keys"
    data_dir.mkdir(mode=0o700)
    plain = Settings(data_dir=data_dir)
    assert start(plain, compute) == ""
    Storage(plain.storage_url).write_bytes("datasets/a/upload", MARKS[0])
    assert readable(data_dir) == {"upload"}

    run = CliRunner().invoke
    refused = run(command, ["storage", "rotate", "--data-dir", str(data_dir)])
    assert (refused.exit_code, "There is no key" in refused.output) == (1, True)
    made = run(command, ["storage", "new-key", str(keys)])
    assert (made.exit_code, str(keys) in made.output) == (0, True)
    monkeypatch.setenv("AVATARS_ENCRYPTION_KEY_FILE", str(keys))
    told = Settings(data_dir=data_dir)
    assert "not encrypted: stop the platform, then avatars storage rotate" in start(told, compute)
    assert "2 files written anew" in run(command, ["storage", "rotate", "--data-dir", str(data_dir)]).output
    assert readable(data_dir) == set()
    assert start(told, compute) == ""

    run(command, ["storage", "new-key", str(keys)])
    assert "1 file written anew" in run(command, ["storage", "rotate", "--data-dir", str(data_dir)]).output
    keys.write_text(keys.read_text().splitlines()[0] + "\n")
    assert start(told, compute) == ""
