"""A table of a gibibyte on its way in and out: the process that answers requests holds none of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import numpy as np
import pytest
from tests.acceptance.steps import PASSWORD, USERNAME, connect
from tests.conftest import Platform

GIB = 1024**3
MOST_IN, MOST_OUT = 300 * 10**6, 400 * 10**6
"""Bytes of memory that the process may have had at any moment, its own imports included. On its way out a table is
written as CSV, a group of rows at a time."""


class People(io.RawIOBase):
    """A CSV of a gibibyte that is nowhere: the same hundred thousand rows over and over."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        rows = ",".join(["%.4f"] * 8) % tuple(random.normal(size=8))
        block = "".join(f"{number % 97},{rows}\n" for number in range(100_000)).encode()
        self.head = b"age,a,b,c,d,e,f,g,h\n"
        self.block = block
        self.repeats = GIB // len(block) + 1
        self.size = len(self.head) + self.repeats * len(block)
        self._given = 0

    @property
    def rows(self) -> int:
        return self.repeats * 100_000

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given

    def seek(self, offset: int, whence: int = 0) -> int:
        self._given = {0: 0, 1: self._given, 2: self.size}[whence] + offset
        return self._given

    def read(self, size: int = -1) -> bytes:
        if self._given < len(self.head):
            self._given = len(self.head)
            return self.head
        where = (self._given - len(self.head)) % len(self.block)
        piece = self.block[where : where + min(size, 1 << 20) if size >= 0 else None][: self.size - self._given]
        self._given += len(piece)
        return piece


def most_memory(platform: Platform) -> int:
    """The most bytes that the process ever had, as the system counted them."""
    status = Path(f"/proc/{platform.pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_gibibyte_passes_through_in_little_memory(
    new_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers read tables as a whole; on small machines their share would not do.
    monkeypatch.setenv("AVATARS_WORKER_MEMORY_LIMIT", "8GiB")
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    people = People()
    file = cast(IO[bytes], people)
    assert people.size >= GIB
    with connect(platform) as client:
        client.timeout = 1200
        answer = client.post("/datasets", files={"file": ("people.csv", file, "text/csv")})
        assert answer.status_code == 200, answer.text
        assert answer.json()["nb_lines"] == people.rows
        on_its_way_in = most_memory(platform)
        assert on_its_way_in < MOST_IN
        received = 0
        with client.stream("GET", f"/datasets/{answer.json()['id']}/download") as download:
            assert download.status_code == 200
            for piece in download.iter_raw():
                received += len(piece)
        assert received > GIB // 2
        on_its_way_out = most_memory(platform)
        print(f"{on_its_way_in:,} bytes on its way in, {on_its_way_out:,} out")
        assert on_its_way_out < MOST_OUT
        assert client.delete(f"/datasets/{answer.json()['id']}").status_code == 200
