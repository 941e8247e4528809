"""The engine's tasks on real worker processes: the same bytes as here, also when one is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from tests.unit.engine.tables import mixed_table

from avatars.cluster import LARGEST_TASK, DaskWorkers, working_on_scheduler
from avatars.engine.batches import spread, working_on
from avatars.engine.errors import EngineError
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Silent
from avatars.engine.run import run
from avatars.engine.workspace import Workspace
from avatars.evaluation.evaluate import Evaluation, evaluate_run

PARAMETERS = Parameters(k=8, seed=1)
Outcome = tuple[pa.Table, pa.Table, Evaluation]


@pytest.fixture(scope="module")
def table() -> pa.Table:
    # Enough rows for the compiled search and for several tasks a step; some of them twice, some cells missing.
    rows = mixed_table(16_000, missing=0.02)
    return pa.concat_tables([rows, rows.slice(0, 3000)])


@pytest.fixture(scope="module")
def here(table: pa.Table) -> Outcome:
    made = run(table, PARAMETERS)
    return made.avatars, made.sensitive_unshuffled_avatars, evaluate_run(made)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield made


def compute(table: pa.Table, client: Client, folder: Path, progress: Silent) -> Outcome:
    with working_on(DaskWorkers(client)), Workspace(folder, shared=True) as workspace:
        made = run(table, PARAMETERS, progress=progress, workspace=workspace)
        metrics = evaluate_run(made, progress=progress, workspace=workspace)
        return made.avatars, made.sensitive_unshuffled_avatars, metrics


def test_two_workers_give_the_same_bytes(table: pa.Table, here: Outcome, cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        client.get_task_stream()  # from now on the scheduler takes notes
        there = compute(table, client, tmp_path, Silent())
        assert len({entry["worker"] for entry in client.get_task_stream()}) == 2
    assert there[0].equals(here[0])
    assert there[1].equals(here[1])
    assert there[2] == here[2]
    assert list(tmp_path.iterdir()) == []


class Killer(Silent):
    """Kills one worker in the middle of the draw and its neighbour search, and one in the middle of the metrics."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.killed: list[str] = []

    def report(self, step: str, done: float, total: float) -> None:
        if step in ("drawing avatars", "measuring privacy") and step not in self.killed:
            self.killed.append(step)
            pids = self._client.run(os.getpid)
            os.kill(next(iter(pids.values())), signal.SIGKILL)


def test_a_killed_worker_changes_nothing(table: pa.Table, here: Outcome, cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        killer = Killer(client)
        there = compute(table, client, tmp_path, killer)
    assert killer.killed == ["drawing avatars", "measuring privacy"]
    assert there[0].equals(here[0])
    assert there[1].equals(here[1])
    assert there[2] == here[2]


def test_a_task_that_holds_on_to_much_stays_here(cluster: LocalCluster) -> None:
    much = bytes(LARGEST_TASK + 1)
    with Client(cluster) as client, working_on(DaskWorkers(client)):
        assert list(spread(lambda item: (os.getpid(), len(much) > item), [1])) == [(os.getpid(), True)]
        assert next(iter(spread(lambda _: os.getpid(), [1]))) != os.getpid()


def test_no_scheduler_is_said_in_one_sentence() -> None:
    with pytest.raises(EngineError, match="No Dask scheduler answers at tcp"):  # noqa: SIM117
        with working_on_scheduler("tcp://127.0.0.1:1"):
            pass
