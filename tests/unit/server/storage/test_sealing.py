"""Encrypted files: nothing of them is readable, no change goes unseen, and keys can be changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.server.storage import DamagedFile, Storage, UnusableKey
from avatars.server.storage.keys import add_key, read_keys
from avatars.server.storage.sealing import CHUNK, MAGIC

KEY = "datasets/a/table.parquet"
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    add_key(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def storage(tmp_path: Path, keys: Path) -> Storage:
    return Storage(tmp_path / "files", keys)


def on_disk(storage: Storage, key: str = KEY) -> Path:
    return Path(storage.location) / key


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read_back_whatever_its_length(storage: Storage, size: int) -> None:
    content = os.urandom(size)
    with storage.open_output(KEY) as stream:
        for start in range(0, size, 50_000):
            stream.write(content[start : start + 50_000])
    assert storage.read_bytes(KEY) == content
    assert storage.size(KEY) == size
    # 48 bytes of a header, and a tag of 16 a chunk, of which there is always one.
    assert on_disk(storage).stat().st_size == 48 + size + 16 * max(1, -(-size // CHUNK))


@settings(max_examples=25, deadline=None)
@given(pieces=st.lists(st.integers(0, 2 * CHUNK), max_size=4), start=st.integers(0, 4 * CHUNK))
def test_pieces_and_positions_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], start: int
) -> None:
    folder = tmp_path_factory.mktemp("sealed")
    add_key(folder / "keys")
    storage = Storage(folder / "files", folder / "keys")
    content = os.urandom(sum(pieces))
    with storage.open_output(KEY) as stream:
        position = 0
        for piece in pieces:
            stream.write(content[position : position + piece])
            position += piece
    with storage.open_input(KEY) as source:
        source.seek(start)
        assert bytes(source.read()) == content[start:]
    shutil.rmtree(folder)


def test_nothing_of_the_content_is_on_the_disk(storage: Storage) -> None:
    storage.write_bytes(KEY, b"canary" * 50_000)
    assert b"canary" not in on_disk(storage).read_bytes()


def test_the_same_content_never_looks_the_same(storage: Storage) -> None:
    storage.write_bytes(KEY, bytes(1000))
    first = on_disk(storage).read_bytes()
    storage.write_bytes(KEY, bytes(1000))
    assert on_disk(storage).read_bytes()[48:] != first[48:]


def read(storage: Storage, key: str = KEY) -> None:
    storage.read_bytes(key)


# Magic, key, salt, first chunk, its tag, second chunk, last tag.
@pytest.mark.parametrize("place", [0, 10, 20, 48, 48 + CHUNK, 48 + CHUNK + 16, -1])
def test_a_changed_bit_is_refused(storage: Storage, place: int) -> None:
    storage.write_bytes(KEY, os.urandom(CHUNK + 100))
    changed = bytearray(on_disk(storage).read_bytes())
    changed[place] ^= 1
    on_disk(storage).write_bytes(changed)
    with pytest.raises((DamagedFile, UnusableKey)):
        read(storage)


def test_a_file_that_was_cut_is_refused_before_any_of_it_is_read(storage: Storage) -> None:
    storage.write_bytes(KEY, os.urandom(3 * CHUNK))
    whole = on_disk(storage).read_bytes()
    for size in (0, 8, 40, 48, 60, 48 + CHUNK + 16, 48 + 2 * (CHUNK + 16), len(whole) - 1):
        on_disk(storage).write_bytes(whole[:size])
        with pytest.raises((DamagedFile, UnusableKey)):
            storage.open_input(KEY)


def test_chunks_in_another_order_are_refused(storage: Storage) -> None:
    storage.write_bytes(KEY, os.urandom(3 * CHUNK))
    whole, sealed = on_disk(storage).read_bytes(), CHUNK + 16
    first, second = whole[48 : 48 + sealed], whole[48 + sealed : 48 + 2 * sealed]
    on_disk(storage).write_bytes(whole[:48] + second + first + whole[48 + 2 * sealed :])
    with pytest.raises(DamagedFile):
        read(storage)
    on_disk(storage).write_bytes(whole + whole[-sealed:])
    with pytest.raises(DamagedFile):
        read(storage)


def test_a_file_in_anothers_place_is_refused(storage: Storage) -> None:
    storage.write_bytes("datasets/a/table.parquet", b"ada's")
    storage.write_bytes("datasets/b/table.parquet", b"bob's")
    shutil.copy(on_disk(storage, "datasets/a/table.parquet"), on_disk(storage, "datasets/b/table.parquet"))
    with pytest.raises(DamagedFile):
        read(storage, "datasets/b/table.parquet")


def test_another_key_is_named_and_asked_for(storage: Storage, keys: Path) -> None:
    storage.write_bytes(KEY, b"x")
    old = read_keys(keys).first.hex()
    keys.unlink()
    add_key(keys)
    with pytest.raises(UnusableKey, match=f"key {old}, which is not in the key file"):
        read(Storage(storage.location, keys))


def test_without_the_key_it_is_said_that_there_is_one(storage: Storage) -> None:
    storage.write_bytes(KEY, b"x")
    with pytest.raises(UnusableKey, match="set AVATARS_ENCRYPTION_KEY_FILE"):
        read(Storage(storage.location))


def test_a_plain_file_in_an_encrypted_storage_is_refused(storage: Storage) -> None:
    Storage(storage.location).write_bytes(KEY, b"smuggled in")
    with pytest.raises(UnusableKey, match="not encrypted"):
        read(storage)


def test_a_second_key_encrypts_what_is_new_and_the_first_still_decrypts(storage: Storage, keys: Path) -> None:
    storage.write_bytes("datasets/a/upload", b"old")
    add_key(keys)
    newer = Storage(storage.location, keys)
    assert newer.read_bytes("datasets/a/upload") == b"old"
    newer.write_bytes("datasets/b/upload", b"new")
    with pytest.raises(UnusableKey):
        storage.read_bytes("datasets/b/upload")


def test_rotation_brings_every_file_under_the_first_key(storage: Storage, keys: Path) -> None:
    Storage(storage.location).write_bytes("datasets/plain/upload", b"plain")
    storage.write_bytes("datasets/old/upload", b"old")
    add_key(keys)
    newer = Storage(storage.location, keys)
    newer.write_bytes("datasets/new/upload", b"new")
    assert sorted(newer.rotate()) == [False, True, True]
    assert list(newer.rotate()) == [False, False, False]
    lines = keys.read_text().splitlines()
    keys.write_text(lines[0] + "\n")
    only = Storage(storage.location, keys)
    contents = [only.read_bytes(f"datasets/{name}/upload") for name in ("plain", "old", "new")]
    assert contents == [b"plain", b"old", b"new"]
    assert all(path.read_bytes().startswith(MAGIC) for path in Path(storage.location).rglob("upload"))


def test_a_key_file_is_for_its_owner_and_grows_at_its_beginning(keys: Path) -> None:
    first = read_keys(keys).first
    assert keys.stat().st_mode & 0o777 == 0o600
    name = add_key(keys)
    ring = read_keys(keys)
    assert ring.first.hex() == name
    assert first in ring.keys
    assert keys.read_text().count("\n") == 2


@pytest.mark.parametrize("content", ["", "# a remark\n", "secret\n", "c2VjcmV0\n", "\u00e9\n"])
def test_what_is_no_key_file_is_refused_and_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnusableKey) as refusal:
        Storage(tmp_path / "files", path)
    assert str(path) in str(refusal.value)
    assert "secret" not in str(refusal.value)
    with pytest.raises(UnusableKey):
        Storage(tmp_path / "files", tmp_path / "none")
