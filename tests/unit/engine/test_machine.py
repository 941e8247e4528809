"""What the machine has, and sizes as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.engine.errors import InvalidParameter
from avatars.engine.machine import _left_in_container, available_memory, in_words, read_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("2k", 2000), ("7", 7), ("3 B", 3)],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "4XB", "1,5GB", "0", "1e9", "9999999999TB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InvalidParameter, match="such as 4GB"):
        read_size(text)


@given(st.integers(1, 10**15))
def test_words_read_back_as_nearly_the_same(size: int) -> None:
    assert read_size(in_words(size).replace("bytes", "B")) == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize(
    ("size", "words"), [(999, "999 bytes"), (1000, "1.0 kB"), (9_960_000, "10 MB"), (24e9, "24 GB"), (1.2e12, "1.2 TB")]
)
def test_words(size: float, words: str) -> None:
    assert in_words(size) == words


def test_some_memory_is_available() -> None:
    free = available_memory()
    assert free is not None
    assert 10**7 < free < 10**14


def test_a_container_gives_back_the_files_in_its_cache(tmp_path: Path) -> None:
    for name, content in (("max", "1000"), ("current", "900"), ("stat", "anon 500\ninactive_file 300\nother 1\n")):
        (tmp_path / name).write_text(content)
    assert _left_in_container(tmp_path / "max", tmp_path / "current", tmp_path / "stat") == 400
    (tmp_path / "max").write_text("max\n")
    assert _left_in_container(tmp_path / "max", tmp_path / "current", tmp_path / "stat") is None
