"""Storage: a key names a whole file or nothing, in a folder and in a bucket, encrypted or not."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest
from tests.conftest import ObjectStore

from avatars.server.storage import Storage, StorageAway, StorageFull
from avatars.server.storage.bucket import check_url
from avatars.server.storage.keys import add_key


@pytest.fixture(params=["folder", "encrypted folder", "bucket", "encrypted bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    keys = None
    if request.param.startswith("encrypted"):
        keys = tmp_path / "keys"
        add_key(keys)
    if request.param.endswith("bucket"):
        store: ObjectStore = request.getfixturevalue("object_store")
        return Storage(store.new_url(), keys)
    return Storage(tmp_path / "files", keys)


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def files_in(storage: Storage) -> list[str]:
    """What is really there, half-written files and all."""
    if "://" in storage.location:
        # Each file is a pointer and what it points to.
        entries = storage._place._entries("", recursive=True)  # type: ignore[attr-defined]
        names = [entry.path for entry in entries if entry.is_file]
        bodies = [name.partition("~")[0] for name in names if "~" in name]
        assert sorted(bodies) == sorted(name for name in names if "~" not in name)
        return sorted(bodies)
    folder = Path(storage.location)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_was_written_is_read_back(storage: Storage) -> None:
    storage.write_bytes("datasets/a/format.json", b"{}")
    assert storage.read_bytes("datasets/a/format.json") == b"{}"
    assert storage.size("datasets/a/format.json") == 2
    assert storage.exists("datasets/a/format.json")
    assert not storage.exists("datasets/a")
    assert storage.read_buffer("datasets/a/format.json").to_pybytes() == b"{}"


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


def test_the_sweep_deletes_what_dead_writers_left(folder: Storage) -> None:
    folder.write_bytes("datasets/a/table.parquet", b"whole")
    folder.write_bytes("temporary/abc", b"half")
    assert folder.sweep() == 1
    assert files_in(folder) == ["datasets/a/table.parquet"]


def test_a_storage_can_be_sent_to_another_process(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"1")
    assert pickle.loads(pickle.dumps(storage)).read_bytes("datasets/a/table.parquet") == b"1"


def test_only_the_owner_may_look_into_the_folder(folder: Storage) -> None:
    assert Path(folder.location).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "Patients.csv", "a b", "a\n", "a\x00"])
def test_a_key_that_could_lead_astray_is_refused(folder: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        folder.open_input(key)
    with pytest.raises(ValueError, match="storage key"):
        folder.delete(key)


def test_a_missing_file_says_so(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.read_bytes("datasets/a/table.parquet")


def test_a_file_is_read_at_any_position(storage: Storage) -> None:
    content = os.urandom(200_000)
    storage.write_bytes("datasets/a/table.parquet", content)
    with storage.open_input("datasets/a/table.parquet") as stream:
        for start, size in ((0, 10), (65_530, 20), (131_072, 65_536), (199_990, 100), (5, 150_000)):
            stream.seek(start)
            assert bytes(stream.read(size)) == content[start : start + size]
    assert storage.read_buffer("datasets/a/table.parquet").to_pybytes() == content
    assert storage.size("datasets/a/table.parquet") == len(content)


def test_a_file_that_is_written_again_leaves_nothing_of_the_earlier_one(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"old")
    storage.write_bytes("datasets/a/table.parquet", b"new")
    assert storage.read_bytes("datasets/a/table.parquet") == b"new"
    assert files_in(storage) == ["datasets/a/table.parquet"]


def test_an_empty_file_is_one(storage: Storage) -> None:
    storage.write_bytes("datasets/a/upload", b"")
    assert storage.read_bytes("datasets/a/upload") == b""
    assert storage.read_buffer("datasets/a/upload").size == 0


@pytest.mark.soak
def test_a_folder_of_more_files_than_a_store_lists_at_once_is_listed_whole(object_store: ObjectStore) -> None:
    storage = Storage(object_store.new_url())
    # A pointer alone is listed as well, and is one request instead of three.
    for number in range(1005):
        with storage._place._files.open_output_stream(f"datasets/d{number:04}") as stream:  # type: ignore[attr-defined]
            stream.write(b"x")
    assert len(storage.list("datasets")) == 1005


def test_a_bucket_that_is_not_there_is_a_sentence(object_store: ObjectStore) -> None:
    url = object_store.new_url().replace("s3://test-", "s3://none-")
    with pytest.raises(StorageAway, match="cannot be read or written"):
        Storage(url).write_bytes("datasets/a/upload", b"x")


def test_a_store_that_does_not_answer_is_a_sentence() -> None:
    storage = Storage("s3://bucket?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1")
    with pytest.raises(StorageAway, match="cannot be read or written"):
        storage.read_bytes("datasets/a/upload")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_apart(folder: Storage, number: int) -> None:
    with pytest.raises(StorageFull), folder.open_output("datasets/a/upload"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://bucket", "begins with s3://"),
        ("s3://", "names no bucket"),
        ("s3://id:secret@bucket/x", "credentials"),
        ("s3://bucket?endpoint=x", "no option"),
    ],
)
def test_an_address_that_is_none_of_a_bucket_is_refused(url: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        check_url(url)
