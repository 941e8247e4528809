"""Two hundred jobs of ten users, and a platform that is killed over and over: each job has its one result."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import httpx2
import pytest
from tests.acceptance.steps import PASSWORD, assert_no_orphans, connect, look, rows_of, until, upload_people, workers_of
from tests.conftest import Platform

USERS, JOBS_EACH, ROWS = 10, 20, 1_000
PLATFORM_KILLS, WORKER_KILLS = 5, 10

DONE = "SELECT COUNT(*) FROM jobs WHERE kind = 'avatarization' AND status = 'success'"
UNDER_WAY = "SELECT COUNT(*) FROM jobs WHERE kind = 'avatarization' AND status = 'started'"


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_jobs_have_two_hundred_results_whatever_is_killed(new_platform: Callable[..., Platform]) -> None:
    platform = new_platform()
    names = [f"user-{number}" for number in range(USERS)]
    for name in names:
        platform.add_user(name, PASSWORD)
    platform.start()
    asked = {name: _ask(platform, name, seed) for seed, name in enumerate(names)}
    count = USERS * JOBS_EACH

    # So many jobs are over before each kill; where within a job it falls is chance.
    chance = random.Random(1)
    kills = [*("platform",) * PLATFORM_KILLS, *("worker",) * WORKER_KILLS]
    chance.shuffle(kills)
    for number, kill in enumerate(kills):
        due = 5 + number * (count - 20) // len(kills)
        until(lambda due=due: rows_of(platform, DONE)[0][0] >= due, 300)  # type: ignore[misc]
        until(lambda: rows_of(platform, UNDER_WAY)[0][0] > 0)
        time.sleep(chance.random() / 2)
        if kill == "platform":
            platform.kill()
            platform.start()
        else:
            until(lambda: workers_of(platform))
            # It may have ended by itself in this very moment.
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers_of(platform)), signal.SIGKILL)
    until(lambda: rows_of(platform, DONE)[0][0] == count, 600)

    # What was killed had been under way, or nothing is shown.
    assert rows_of(platform, "SELECT SUM(interruptions) > 0, SUM(worker_losses) > 0 FROM jobs") == [(1, 1)]
    assert rows_of(platform, "SELECT kind, COUNT(*) FROM datasets GROUP BY kind ORDER BY kind") == [
        ("avatars", count),
        ("original", USERS),
        ("sensitive_unshuffled_avatars", count),
    ]
    seen: Counter[str] = Counter()
    for name, (original, job_ids) in asked.items():
        with connect(platform, name) as client:
            columns = client.get(f"/datasets/{original}").json()["columns"]
            assert len(client.get("/datasets").json()) == 1 + 2 * JOBS_EACH
            for job_id in job_ids:
                result = look(client, job_id)["result"]
                seen.update(_check(client, result, columns))
    assert len(seen) == 2 * count
    assert set(seen.values()) == {1}
    # The assessments are still to come: put back, so that no worker is about to write.
    assert platform.stop() == 0
    platform.start()
    assert_no_orphans(platform)


def _ask(platform: Platform, name: str, seed: int) -> tuple[str, list[str]]:
    """Send a table and ask for all jobs of a user."""
    with connect(platform, name) as client:
        dataset_id = upload_people(client, ROWS)
        job_ids = []
        for number in range(JOBS_EACH):
            parameters = {"k": 10, "seed": 100 * seed + number, "dataset_id": dataset_id}
            answer = client.post("/jobs/avatarization", json={"parameters": parameters})
            assert answer.status_code == 200, answer.text
            job_ids.append(str(answer.json()["id"]))
        return dataset_id, job_ids


def _check(client: httpx2.Client, result: dict[str, dict[str, object]], columns: object) -> list[str]:
    """See that both tables of a result are whole; gives their ids."""
    assert 0 <= float(str(result["privacy_metrics"]["hidden_rate"])) <= 100
    made = [result["avatars_dataset"], result["sensitive_unshuffled_avatars_datasets"]]
    rows = []
    for each in made:
        lines = client.get(f"/datasets/{each['id']}/download").text.splitlines()
        assert lines[0] == "n0,n1,n2,n3,n4,n5,n6,n7,c"
        assert len(lines) == 1 + ROWS
        rows.append(lines)
        described = client.get(f"/datasets/{each['id']}").json()["columns"]
        assert [(c["label"], c["type"]) for c in described] == [(c["label"], c["type"]) for c in columns]  # type: ignore[attr-defined]
    # The same avatars in two orders.
    assert rows[0] != rows[1]
    assert sorted(rows[0]) == sorted(rows[1])
    return [str(each["id"]) for each in made]
