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
METRICS = ("measuring privacy", "measuring utility")
PUBLISHED, DEFAULT = Parameters(k=K, ncp=NCP, seed=SEED, method="avatar"), Parameters(seed=SEED)
"""The published draw, which the reference makes too, and what who chooses nothing gets."""


@dataclass(frozen=True)
class Took:
    """What a step took: on the clock, and of all cores together."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class StepTimes:
    """Per step on ``rows`` rows: ours by the published draw and by the default one, and the reference's seconds."""

    rows: int
    published: dict[str, Took]
    default: dict[str, Took]
    reference: dict[str, float]

    def times_faster(self) -> float:
        """Return how many times longer the reference takes for the steps that are compared."""
        return sum(self.reference.values()) / sum(self.published[step].seconds for step in COMPARED)


def share_of_metrics(steps: dict[str, Took]) -> float:
    """Return the processor time of the metrics as a share of that of the whole run, they included."""
    metrics = sum(steps[step].cpu_seconds for step in METRICS)
    return metrics / sum(took.cpu_seconds for took in steps.values())


class StepClock:
    """A progress that adds up the time between reports: it belongs to the step that reports."""

    def __init__(self) -> None:
        self.steps: dict[str, Took] = defaultdict(lambda: Took(0.0, 0.0))
        self._last = self._now()
        self._lock = threading.Lock()

    def report(self, step: str, done: float, total: float) -> None:
        """Count the time since the last report."""
        with self._lock:
            now, before = self._now(), self.steps[step]
            self.steps[step] = Took(
                before.seconds + now.seconds - self._last.seconds,
                before.cpu_seconds + now.cpu_seconds - self._last.cpu_seconds,
            )
            self._last = now

    def should_stop(self) -> bool:
        """Never."""
        return False

    @staticmethod
    def _now() -> Took:
        return Took(time.perf_counter(), time.process_time())


def compare(rows: int) -> StepTimes:
    """Time both stacks on a mixed table, in a process that has done such a thing before: compiled code is loaded."""
    warm = mixed(WARM_UP)
    for parameters in (PUBLISHED, DEFAULT):
        _ours(warm, parameters)
    table = mixed(rows)
    published, default = _ours(table, PUBLISHED), _ours(table, DEFAULT)
    return StepTimes(rows, published, default, reference.seconds(_for_saiph(table), K, NCP, SEED))


def _ours(table: pa.Table, parameters: Parameters) -> dict[str, Took]:
    clock = StepClock()
    avatarization = run(table, parameters, progress=clock)
    # Avatars are cast back as they are read.
    assert avatarization.avatars.num_rows == table.num_rows
    clock.report("casting back", 1, 1)
    evaluate_run(avatarization, progress=clock)
    return dict(clock.steps)


def _for_saiph(table: pa.Table) -> pd.DataFrame:
    """Return the frame as saiph expects it: floats, and modalities as objects."""
    frame: pd.DataFrame = table.to_pandas()
    text = frame.select_dtypes(exclude="number").columns
    return frame.astype({name: "float64" if name not in text else "object" for name in frame.columns})
