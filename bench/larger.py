"""`python -m bench.larger`: a table that is larger than the memory it may use, as a command on a file.

The table is generated in chunks, so that this process stays small; what the command takes is read from the system.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_CHUNK = 100_000
_FACTORS = 3


def write_mixed(path: Path, rows: int, columns: int, seed: int = 20261122) -> None:
    """Write ``rows`` x ``columns`` to Parquet: half numbers, half text of 2 to 9 levels, all after the same factors."""
    fixed, random = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    q = columns // 2
    loadings = fixed.normal(size=(_FACTORS, columns))
    levels = fixed.integers(2, 10, columns)
    writer = None
    for start in range(0, rows, _CHUNK):
        n = min(_CHUNK, rows - start)
        scores = random.normal(size=(n, _FACTORS)) @ loadings + random.normal(size=(n, columns))
        arrays: dict[str, pa.Array] = {f"n{a}": pa.array(np.round(50 + 10 * scores[:, a], 1)) for a in range(q)}
        for a in range(q, columns):
            names = pa.array([f"level {level}" for level in range(levels[a])])
            codes = np.clip((scores[:, a] / 4 + 0.5) * levels[a], 0, levels[a] - 1).astype(np.int32)
            arrays[f"c{a}"] = names.take(pa.array(codes))
        table = pa.table(arrays)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def anonymous_peak(command: list[str]) -> tuple[float, int]:
    """Run a command; return its seconds and the peak of its memory in bytes, without pages of files. Linux only."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(command)
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        peak = max([peak, *(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))])
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - start, peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--memory", default="1GB")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, avatars = Path(folder) / "data.parquet", Path(folder) / "avatars.parquet"
        write_mixed(data, said.rows, said.columns)
        table = sum(batch.nbytes for batch in pq.ParquetFile(data).iter_batches())
        command = [sys.executable, "-m", "avatars", "run", str(data), "-k", "20", "--seed", "1", "-o", str(avatars)]
        seconds, peak = anonymous_peak([*command, "--memory", said.memory])
    print(
        f"{said.rows:,} x {said.columns}, {table / 1e9:.2f} GB in memory: {seconds:.0f} s, peak {peak / 1e9:.2f} GB"
        f" of its own memory under --memory {said.memory}"
    )


if __name__ == "__main__":
    main()
