"""The engine's steps beside those of the reference stack, on the same table in the same process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from avatars.evaluation.evaluate import evaluate_run
from bench import reference
from bench.generate import mixed

K, NCP, SEED = 20, 5, 1
WARM_UP = 6_000
COMPARED = ("projecting", "finding neighbours", "drawing avatars", "casting back")
"""Steps that both stacks have."""


@dataclass(frozen=True)
class StepTimes:
    """Seconds per step of both stacks on ``rows`` rows; the reference has the steps that are compared."""

    rows: int
    ours: dict[str, float]
    reference: dict[str, float]


class StepClock:
    """A progress that adds up the time between reports: it belongs to the step that reports."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()
        self._lock = threading.Lock()

    def report(self, step: str, done: float, total: float) -> None:
        """Count the time since the last report."""
        with self._lock:
            now = time.perf_counter()
            self.seconds[step] += now - self._last
            self._last = now

    def should_stop(self) -> bool:
        """Never."""
        return False


def compare(rows: int) -> StepTimes:
    """Time both stacks on a mixed table, in a process that has done such a thing before: compiled code is loaded."""
    _ours(mixed(WARM_UP))
    table = mixed(rows)
    return StepTimes(rows, _ours(table), reference.seconds(_for_saiph(table), K, NCP, SEED))


def _ours(table: pa.Table) -> dict[str, float]:
    clock = StepClock()
    avatarization = run(table, Parameters(k=K, ncp=NCP, seed=SEED), progress=clock)
    # Avatars are cast back as they are read.
    assert avatarization.avatars.num_rows == table.num_rows
    clock.report("casting back", 1, 1)
    evaluate_run(avatarization, progress=clock)
    return dict(clock.seconds)


def _for_saiph(table: pa.Table) -> pd.DataFrame:
    """Return the frame as saiph expects it: floats, and modalities as objects."""
    frame: pd.DataFrame = table.to_pandas()
    text = frame.select_dtypes(exclude="number").columns
    return frame.astype({name: "float64" if name not in text else "object" for name in frame.columns})
