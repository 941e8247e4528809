"""Jobs survive: the platform killed while they run, their workers killed, their memory used up. Real processes only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.acceptance.steps import (
    PASSWORD,
    USERNAME,
    assert_no_orphans,
    assert_success,
    connect,
    create,
    is_alive,
    outcome,
    rows_of,
    until,
    upload_people,
    wait_until_under_way,
    workers_of,
)

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.timeout(400)
"""Each test starts the platform once or twice; on a machine that is busy otherwise, that alone takes a while."""


@pytest.fixture
def platform(new_platform: Callable[..., Platform]) -> Iterator[Platform]:
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    yield platform
    platform.close()


def test_jobs_of_a_killed_platform_finish_after_its_restart(platform: Platform) -> None:
    platform.start()
    with connect(platform) as client:
        dataset_id = upload_people(client)
        job_ids = [create(client, dataset_id) for _ in range(4)]
        wait_until_under_way(client, job_ids[0])
    workers = workers_of(platform)
    assert len(workers) >= 3
    platform.kill()
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in workers), "workers outlive the platform"
    # What an attempt or an upload may have left at the moment of the kill.
    unknown = "datasets/00000000-0000-4000-8000-000000000000"
    for leftover in ("temporary/a", f"{unknown}/upload", f"{unknown}/table.parquet"):
        path = platform.data_dir / "files" / leftover
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")

    platform.start()
    with connect(platform) as client:
        jobs = [outcome(client, job_id) for job_id in job_ids]
    assert [job["status"] for job in jobs] == ["success"] * 4, [job["error_message"] for job in jobs]
    assert len({job["result"]["avatars_dataset"]["id"] for job in jobs}) == 4
    assert rows_of(platform, "SELECT COUNT(*) FROM jobs WHERE kind = 'avatarization' AND attempt > 1") != [(0,)]
    for kind in ("avatars", "sensitive_unshuffled_avatars"):
        assert rows_of(platform, f"SELECT COUNT(*) FROM datasets WHERE kind = '{kind}'") == [(4,)]
    assert_no_orphans(platform)


@pytest.mark.soak
def test_jobs_of_a_stopped_platform_finish_after_its_restart(platform: Platform) -> None:
    platform.start()
    with connect(platform) as client:
        job_id = create(client, upload_people(client))
        wait_until_under_way(client, job_id)
    assert platform.stop() == 0
    assert rows_of(platform, "SELECT status, interruptions FROM jobs WHERE kind = 'avatarization'") == [("pending", 0)]
    platform.start()
    with connect(platform) as client:
        assert_success(client, job_id)
    assert_no_orphans(platform)


def test_a_job_whose_worker_is_killed_is_done_by_another(platform: Platform) -> None:
    platform.start()
    with connect(platform) as client:
        job_id = create(client, upload_people(client))
        wait_until_under_way(client, job_id)
        for pid in workers_of(platform):
            os.kill(pid, signal.SIGKILL)
        assert_success(client, job_id)
    assert rows_of(platform, "SELECT attempt, worker_losses FROM jobs WHERE kind = 'avatarization'") == [(2, 1)]
    assert_no_orphans(platform)


@pytest.mark.soak
def test_a_job_that_needs_too_much_memory_fails_with_a_sentence_and_the_platform_goes_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATARS_WORKER_MEMORY_LIMIT", "450MiB")
    platform.start()
    with connect(platform) as client:
        greedy = create(client, upload_people(client, 200_000), k=400)
        modest = create(client, upload_people(client, 500))
        job = outcome(client, greedy)
        assert job["status"] == "failure"
        assert "ran out of memory, of which one has 472 MB here" in job["error_message"]
        assert "give its workers more memory" in job["error_message"]
        assert_success(client, modest)
    assert_no_orphans(platform)


@pytest.mark.soak
def test_a_job_whose_workers_die_again_and_again_is_given_up_with_a_sentence(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One for jobs: it is up whenever the job is under way, and its nanny brings it back.
    monkeypatch.setenv("AVATARS_WORKERS", "1")
    platform.start()
    with connect(platform) as client:
        job_id = create(client, upload_people(client, 100_000), k=50)

        def attempts_under_way() -> list[Any]:
            return rows_of(platform, "SELECT attempt FROM jobs WHERE progress_percent > 0 AND status = 'started'")

        for attempt in (1, 2, 3):
            until(lambda now=attempt: attempts_under_way() == [(now,)])  # type: ignore[misc]
            for pid in workers_of(platform):
                os.kill(pid, signal.SIGKILL)
        job = outcome(client, job_id)
    assert job["status"] == "failure"
    assert job["error_message"].startswith("The job was stopped after 3 attempts in which its worker process ended: ")
    assert rows_of(platform, "SELECT attempt, worker_losses FROM jobs") == [(3, 3)]
    assert_no_orphans(platform)


@pytest.mark.soak
def test_a_job_that_takes_too_long_is_stopped_with_a_sentence_and_frees_its_worker(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATARS_JOB_DEADLINE_HOURS", "0.001")
    platform.start()
    with connect(platform) as client:
        # Its neighbours alone take minutes.
        job = outcome(client, create(client, upload_people(client, 150_000), k=5_000))
        assert job["status"] == "failure"
        assert job["error_message"].startswith("The job was stopped after 0.06 minutes, the longest that one may take ")
        until(lambda: client.get("/stats/cluster").json()["n_active_tasks"] == 0)
    assert rows_of(platform, "SELECT attempt FROM jobs") == [(1,)]
    assert_no_orphans(platform)


def test_what_a_job_cannot_do_is_not_tried_again(platform: Platform) -> None:
    platform.start()
    with connect(platform) as client:
        dataset_id = upload_people(client, 100)
        assert outcome(client, create(client, dataset_id, k=1_000))["status"] == "failure"
    assert rows_of(platform, "SELECT attempt FROM jobs") == [(1,)]
