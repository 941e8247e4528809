"""From file to file: the same bytes in files as in memory, real progress, and an end as soon as it is asked for."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.unit.engine.tables import encoded, mixed_table

from avatars.engine.columns import Decoded, decode, detect, encode, rounded
from avatars.engine.csv_writing import write_csv
from avatars.engine.decoding import BATCH_ROWS
from avatars.engine.errors import Cancelled, InvalidTable
from avatars.engine.files import read_table, write_parquet, write_table
from avatars.engine.formats import TableFormat
from avatars.engine.parameters import Imputation, Parameters
from avatars.engine.progress import STEPS, Part, Silent, completion
from avatars.engine.run import run
from avatars.engine.workspace import IN_MEMORY, Workspace
from avatars.evaluation.evaluate import evaluate_run


class Watcher:
    """Remembers what it was told, and wants to stop from the n-th report of a step on."""

    def __init__(self, stop_at: str | None = None, after: int = 1) -> None:
        self.told: list[tuple[str, float, float]] = []
        self.stop_at, self.after = stop_at, after

    def report(self, step: str, done: float, total: float) -> None:
        self.told.append((step, done, total))

    def should_stop(self) -> bool:
        return sum(step == self.stop_at for step, _, _ in self.told) >= self.after


def in_files(folder: Path) -> Workspace:
    """A workspace that is in files, and lets every run begin."""
    workspace = Workspace(folder, budget=10**15)
    workspace.make_room(memory=10**16, disk=1)
    return workspace


def csv_bytes(rows: int) -> bytes:
    numbers = np.random.default_rng(0).normal(size=rows).round(3)
    lines = (f"{i},{x},{'yes' if i % 3 else 'no'},2024-01-{i % 28 + 1:02d},true,\n" for i, x in enumerate(numbers))
    return b"id,x,answer,day,flag,nothing\n" + "".join(lines).encode()


LARGE = csv_bytes(100_000)
"""More than three of the megabytes that are read at a time."""


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    table = pa.concat_tables([mixed_table(1000, seed, missing=0.1) for seed in range(3)])
    wards = [pa.array(["a", "b"] * 500), pa.array(["c", "a"] * 500), pa.array(["b"] * 1000)]
    chunks = [ward.dictionary_encode() for ward in wards]
    pq.write_table(table.append_column("place", pa.chunked_array(chunks)), sink, row_group_size=700)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (LARGE, None),
        (gzip.compress(LARGE, mtime=0), None),
        (LARGE.decode().encode("utf-16"), None),
        ("a;b\né;1,5\nü;-2\n".encode("latin-1"), "latin-1"),
        (b'a,b\n"x, y",1\n"two\nlines",2\n', None),
        (parquet_bytes(), None),
    ],
    ids=["csv", "gzip", "utf-16", "latin-1", "quotes", "parquet"],
)
def test_files_are_read_the_same_into_files(tmp_path: Path, content: bytes, encoding: str | None) -> None:
    plain = read_table(io.BytesIO(content), encoding=encoding)
    with in_files(tmp_path) as workspace:
        before = pa.total_allocated_bytes()
        read = read_table(io.BytesIO(content), encoding=encoding, workspace=workspace)
        assert pa.total_allocated_bytes() - before <= plain.table.nbytes / 4
        assert read.table.equals(plain.table)
        assert read.table.schema.equals(plain.table.schema, check_metadata=True)
        assert read.format == plain.format


def test_a_character_may_be_cut_between_two_pieces() -> None:
    # Sixteen megabytes are looked at at a time; with one byte more before them, the characters stand elsewhere.
    for shift in range(3):
        content = b"x" * shift + b"a,b\n" + ("€€€€€,1\n" * (2**24 // 18 + 100)).encode()
        assert read_table(io.BytesIO(content)).table[0].unique().to_pylist() == ["€€€€€"]
    with pytest.raises(InvalidTable, match="not encoded in UTF-8"):
        read_table(io.BytesIO(content + b"\x80,1\n"))


def test_a_wrong_row_far_behind_is_named() -> None:
    with pytest.raises(InvalidTable, match=r"^Row 100001 "):
        read_table(io.BytesIO(LARGE + b"1,2\n"))


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("method", ["fast_knn", "mean"])
def test_a_run_in_files_gives_the_same_avatars_and_metrics(tmp_path: Path, missing: float, method: str) -> None:
    table = mixed_table(9000, missing=missing)
    parameters = Parameters(k=8, seed=1, imputation=Imputation(method))  # type: ignore[arg-type]
    made = run(table, parameters)
    with in_files(tmp_path) as workspace:
        there = run(table, parameters, workspace=workspace)
        assert there.avatars.equals(made.avatars)
        assert there.sensitive_unshuffled_avatars.equals(made.sensitive_unshuffled_avatars)
        assert evaluate_run(there) == evaluate_run(made)


def odd_table(n: int) -> pa.Table:
    """A column of every kind that is decoded in a way of its own."""
    random = np.random.default_rng(1)
    integers = random.integers(0, 1000, n)
    plain = {
        "far": pa.array(integers + 2**60),
        "day": pa.array(integers, pa.int32()).cast(pa.date32()),
        "moment": pa.array(integers * 3600, pa.timestamp("s", "Europe/Paris")),
        "money": pa.array(integers).cast(pa.decimal128(22, 2)),
        "half": pa.array((integers / 8).astype(np.float32)),
        "level": pa.DictionaryArray.from_arrays(pa.array(integers % 3, pa.int8()), ["b", "a", "c"], ordered=True),
        "empty": pa.nulls(n),
        "void": pa.nulls(n, pa.float64()),
    }
    gone = pa.array(random.random(n) < 0.1)
    return pa.table(
        {name: pc.if_else(gone, None, values) for name, values in plain.items() if name != "level"}
        | {"level": plain["level"]}
    )


@pytest.mark.parametrize("table", [mixed_table(70_000, missing=0.05), odd_table(66_000)], ids=["plain", "every kind"])
def test_a_table_decoded_as_it_is_read_is_the_table(tmp_path: Path, table: pa.Table) -> None:
    original = encode(table, detect(table))
    jitter = np.random.default_rng(0).normal(size=original.numeric.shape)
    drawn = type(original)(original.columns, original.numeric + jitter, original.codes, original.schema)
    order = np.random.default_rng(1).permutation(table.num_rows)
    whole = decode(drawn)
    lazy = Decoded(drawn, order)
    assert lazy.to_table().equals(whole.take(order))
    assert lazy.slice(65_000, 700).equals(whole.take(order[65_000:65_700]))
    again = encode(whole, original.columns)
    with in_files(tmp_path) as workspace:
        seen = rounded(drawn, workspace, Silent())
        np.testing.assert_array_equal(seen.numeric, again.numeric)
        np.testing.assert_array_equal(seen.codes, again.codes)


def test_blocks_of_rows_change_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    table = odd_table(20_000)
    whole = encoded(table)
    monkeypatch.setattr("avatars.engine.encoding._CELLS", 1)
    blocks = encoded(table)
    np.testing.assert_array_equal(blocks.numeric, whole.numeric)
    np.testing.assert_array_equal(blocks.codes, whole.codes)


ROWS = 2 * BATCH_ROWS + 5


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_what_is_decoded_as_it_is_written_gives_the_same_file(tmp_path: Path, name: str) -> None:
    drawn = encoded(mixed_table(ROWS, missing=0.05))
    order = np.random.default_rng(1).permutation(ROWS)
    write_table(decode(drawn).take(order), tmp_path / f"whole-{name}")
    write_table(Decoded(drawn, order), tmp_path / f"lazy-{name}")
    assert (tmp_path / f"lazy-{name}").read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


def read_file(content: bytes) -> Callable[[Watcher], None]:
    def read(progress: Watcher) -> None:
        read_table(io.BytesIO(content), progress=progress)

    return read


def write_file(name: str) -> Callable[[Watcher], None]:
    def write(progress: Watcher) -> None:
        sink = io.BytesIO()
        table = mixed_table(ROWS)
        write_parquet(table, sink, progress) if name == "parquet" else write_csv(table, sink, None, progress)

    return write


PARQUET_SINK = io.BytesIO()
write_parquet(mixed_table(ROWS), PARQUET_SINK)
PARQUET = PARQUET_SINK.getvalue()

WORK: dict[str, tuple[str, Callable[[Watcher], None]]] = {
    "csv in": ("reading the file", read_file(LARGE)),
    "gzip in": ("reading the file", read_file(gzip.compress(LARGE, mtime=0))),
    "parquet in": ("reading the file", read_file(PARQUET)),
    "csv out": ("writing the avatars", write_file("csv")),
    "parquet out": ("writing the avatars", write_file("parquet")),
}


@pytest.mark.parametrize("what", WORK)
def test_progress_is_a_fraction_that_rises_to_one(what: str) -> None:
    step, work = WORK[what]
    watcher = Watcher()
    work(watcher)
    shares = [done / total for _, done, total in watcher.told]
    assert {name for name, _, _ in watcher.told} == {step}
    assert shares == sorted(shares)
    assert len(set(shares)) >= 3
    assert shares[-1] == 1


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("what", WORK)
def test_reading_and_writing_end_at_the_batch_that_was_at_work(what: str, after: int) -> None:
    step, work = WORK[what]
    watcher = Watcher(stop_at=step, after=after)
    with pytest.raises(Cancelled):
        work(watcher)
    assert len(watcher.told) == after


@pytest.mark.parametrize("step", ["reading the table", "casting back"])
def test_a_run_ends_at_every_report_of_its_own_steps(step: str) -> None:
    table, watcher = mixed_table(20_000), Watcher()
    run(table, Parameters(k=5, seed=1), progress=watcher)
    reports = sum(name == step for name, _, _ in watcher.told)
    assert reports >= 3
    for after in (1, reports):
        watcher = Watcher(stop_at=step, after=after)
        with pytest.raises(Cancelled):
            run(table, Parameters(k=5, seed=1), progress=watcher)
        assert sum(name == step for name, _, _ in watcher.told) == after


def test_a_file_whose_writing_is_cancelled_is_not_there(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        with pytest.raises(Cancelled):
            write_table(mixed_table(ROWS), tmp_path / name, TableFormat(), Watcher("writing the avatars"))
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_step_is_told_as_if_it_were_the_whole() -> None:
    watcher = Watcher()
    for start, end in pairwise([0, 0.25, 1]):
        part = Part(watcher, start, end)
        part.report("projecting", 1, 2)
        part.report("projecting", 0, 0)
    assert [done / total for _, done, total in watcher.told] == [0.125, 0.25, 0.625, 1.0]
    assert Part(Watcher("projecting", after=0), 0, 1).should_stop()


def test_the_shares_of_all_steps_are_the_whole() -> None:
    assert sum(STEPS.values()) == pytest.approx(1)
    assert completion(list(STEPS)[-1], 1, 1) == pytest.approx(1)
    assert not IN_MEMORY.in_files
