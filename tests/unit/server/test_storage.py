"""Storage: a key names a whole file or nothing."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from avatars.server.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def files_in(storage: Storage) -> list[str]:
    folder = Path(storage.location)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_was_written_is_read_back(storage: Storage) -> None:
    storage.write_bytes("datasets/a/format.json", b"{}")
    assert storage.read_bytes("datasets/a/format.json") == b"{}"
    assert storage.size("datasets/a/format.json") == 2
    assert storage.exists("datasets/a/format.json")
    assert not storage.exists("datasets/a")
    with storage.local_path("datasets/a/format.json") as path:
        assert path.read_bytes() == b"{}"


def test_a_file_appears_only_when_it_is_whole(storage: Storage) -> None:
    with storage.open_output("datasets/a/table.parquet") as stream:
        stream.write(b"first half, ")
        assert not storage.exists("datasets/a/table.parquet")
        stream.write(b"second half")
    assert storage.read_bytes("datasets/a/table.parquet") == b"first half, second half"
    assert files_in(storage) == ["datasets/a/table.parquet"]


def test_an_error_while_writing_leaves_nothing_and_keeps_the_old_file(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"old")

    def write_and_fail(key: str) -> None:
        with storage.open_output(key) as stream:
            stream.write(b"new")
            raise RuntimeError

    for key in ("datasets/a/table.parquet", "datasets/b/table.parquet"):
        with pytest.raises(RuntimeError):
            write_and_fail(key)
    assert files_in(storage) == ["datasets/a/table.parquet"]
    assert storage.read_bytes("datasets/a/table.parquet") == b"old"


def test_deleting_a_folder_deletes_all_that_is_in_it_and_a_missing_one_is_no_error(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"1")
    storage.write_bytes("datasets/b/table.parquet", b"2")
    assert storage.list("datasets") == ["a", "b"]
    storage.delete("datasets/a")
    storage.delete("datasets/a")
    storage.delete("datasets/b/table.parquet")
    assert files_in(storage) == []
    assert storage.list("nothing-here") == []


def test_the_sweep_deletes_what_dead_writers_left(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"whole")
    storage.write_bytes("temporary/abc", b"half")
    assert storage.sweep() == 1
    assert files_in(storage) == ["datasets/a/table.parquet"]


def test_a_storage_can_be_sent_to_another_process(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"1")
    assert pickle.loads(pickle.dumps(storage)).read_bytes("datasets/a/table.parquet") == b"1"


def test_only_the_owner_may_look_into_the_folder(storage: Storage) -> None:
    assert Path(storage.location).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "Patients.csv", "a b", "a\n", "a\x00"])
def test_a_key_that_could_lead_astray_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        storage.open_input(key)
    with pytest.raises(ValueError, match="storage key"):
        storage.delete(key)


def test_a_missing_file_says_so(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.read_bytes("datasets/a/table.parquet")
