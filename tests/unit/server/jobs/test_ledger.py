"""The transitions of a job's row on both databases: no job twice at once, no job with two results."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from avatars.server.accounts.models import User
from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.datasets.normal_form import Written
from avatars.server.db import Database, utc_now
from avatars.server.jobs import ledger
from avatars.server.jobs.ledger import Advance, Claim
from avatars.server.jobs.models import Job, JobState
from avatars.server.jobs.orders import Done, Outputs

COLUMN: ColumnDescription = {
    "label": "age", "type": "int", "detected": "int", "why": "integers", "missing": 0, "dimensions": 1
}  # fmt: skip
WRITTEN = Written(hash="0" * 64, size=10, filetype="csv", nb_lines=3, columns=[COLUMN])
DONE = Done(
    {DatasetKind.AVATARS: WRITTEN, DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS: WRITTEN},
    {"hidden_rate": 95.0},
    {"hellinger_mean": 0.05},
)


@pytest.fixture
def dataset_id(database: Database) -> UUID:
    with database.write() as session:
        user = User(username="ada", password_hash="-")
        session.add(user)
        session.flush()
        dataset = Dataset(
            user_id=user.id,
            kind=DatasetKind.ORIGINAL,
            hash="0" * 64,
            filetype="csv",
            nb_lines=3,
            columns=[COLUMN],
            size=10,
        )
        session.add(dataset)
    return dataset.id


def add_jobs(database: Database, dataset_id: UUID, count: int = 1) -> list[UUID]:
    with database.write() as session:
        user_id = session.get_one(Dataset, dataset_id).user_id
        jobs = [
            Job(
                user_id=user_id, kind="avatarization", parameters={"k": 2}, dataset_id=dataset_id, request_hash="0" * 64
            )
            for _ in range(count)
        ]
        session.add_all(jobs)
    return [job.id for job in jobs]


def state(database: Database, job_id: UUID) -> Job:
    with database.read() as session:
        return session.get_one(Job, job_id)


def count_results(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).where(Dataset.kind == DatasetKind.AVATARS)) or 0


def outputs() -> Outputs:
    return Outputs(uuid4(), uuid4())


def claim_one(database: Database) -> Claim:
    (claimed,) = ledger.claim(database, 1)
    return claimed


def test_a_claim_has_all_that_an_attempt_needs(database: Database, dataset_id: UUID) -> None:
    (job_id,) = add_jobs(database, dataset_id)
    claimed = claim_one(database)
    assert (claimed.job_id, claimed.attempt, claimed.dataset_id) == (job_id, 1, dataset_id)
    assert (claimed.parameters, claimed.columns) == ({"k": 2}, [COLUMN])
    job = state(database, job_id)
    assert (job.status, job.attempt) == (JobState.STARTED, 1)
    assert job.started_at is not None


def test_the_oldest_jobs_come_first_and_no_more_than_asked_for(database: Database, dataset_id: UUID) -> None:
    ids = [add_jobs(database, dataset_id)[0] for _ in range(3)]
    assert ledger.claim(database, 0) == []
    assert [each.job_id for each in ledger.claim(database, 2)] == ids[:2]
    assert [each.job_id for each in ledger.claim(database, 2)] == ids[2:]
    assert ledger.claim(database, 2) == []


def test_one_users_many_jobs_do_not_hold_up_anothers_one(database: Database, dataset_id: UUID) -> None:
    many = [add_jobs(database, dataset_id)[0] for _ in range(5)]
    with database.write() as session:
        other = User(username="bob", password_hash="-")
        session.add(other)
        session.flush()
        # Datasets are not looked at here.
        job = Job(user_id=other.id, kind="avatarization", parameters={}, dataset_id=dataset_id, request_hash="0" * 64)
        session.add(job)
    assert [each.job_id for each in ledger.claim(database, 3)] == [many[0], job.id, many[1]]
    # Who has two under way comes after who has one.
    (next_,) = add_jobs(database, dataset_id)
    with database.write() as session:
        session.get_one(Job, next_).user_id = other.id
    assert [each.job_id for each in ledger.claim(database, 2)] == [next_, many[2]]


def test_users_take_turns_with_a_single_worker_too(database: Database, dataset_id: UUID) -> None:
    mine = [add_jobs(database, dataset_id)[0] for _ in range(4)]
    with database.write() as session:
        other = User(username="bob", password_hash="-")
        session.add(other)
        session.flush()
        jobs = [
            Job(user_id=other.id, kind="avatarization", parameters={}, dataset_id=dataset_id, request_hash="0" * 64)
            for _ in range(2)
        ]
        session.add_all(jobs)
    order = []
    for _ in range(6):
        claimed = claim_one(database)
        order.append(claimed.job_id)
        # Nothing is under way when the next one is chosen.
        assert ledger.fail(database, claimed, "It is over.")
    theirs = sorted((job.id for job in jobs), key=order.index)
    assert order == [mine[0], theirs[0], mine[1], theirs[1], *mine[2:]]


def test_skipped_jobs_wait(database: Database, dataset_id: UUID) -> None:
    first, second = add_jobs(database, dataset_id), add_jobs(database, dataset_id)
    assert [each.job_id for each in ledger.claim(database, 2, first)] == second
    assert ledger.claim(database, 2, first) == []
    assert [each.job_id for each in ledger.claim(database, 2)] == first


def test_no_job_is_claimed_twice_however_many_ask(database: Database, dataset_id: UUID) -> None:
    ids = add_jobs(database, dataset_id, 20)
    with ThreadPoolExecutor(4) as threads:
        claims = threads.map(lambda _: ledger.claim(database, 3), range(20))
    claimed = [each.job_id for some in claims for each in some]
    assert sorted(claimed) == sorted(ids)


def test_a_result_is_recorded_once_even_when_it_is_told_twice(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    claimed, made = claim_one(database), outputs()
    assert ledger.succeed(database, claimed, made, DONE)
    # The confirmation of the commit was lost, and the runner tries again.
    assert ledger.succeed(database, claimed, made, DONE)
    job = state(database, claimed.job_id)
    assert (job.status, job.progress_percent) == (JobState.SUCCESS, 100)
    assert (job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id) == made.ids
    assert job.privacy_metrics == {"hidden_rate": 95.0}
    assert count_results(database) == 1


def test_an_attempt_that_was_given_up_cannot_change_the_job(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    first = claim_one(database)
    ledger.put_back(database, [first])
    second = claim_one(database)
    assert second.attempt == 2
    assert not ledger.succeed(database, first, outputs(), DONE)
    assert not ledger.fail(database, first, "too late")
    ledger.advance(database, [Advance(first.job_id, 1, "drawing avatars", 50, utc_now())])
    ledger.put_back(database, [first])
    job = state(database, first.job_id)
    assert (job.status, job.attempt, job.progress_percent) == (JobState.STARTED, 2, 0)
    assert ledger.succeed(database, second, outputs(), DONE)
    assert not ledger.fail(database, second, "too late")
    assert count_results(database) == 1
    assert state(database, first.job_id).status == JobState.SUCCESS


def test_two_attempts_that_end_at_once_give_one_result(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    claimed = claim_one(database)
    with ThreadPoolExecutor(4) as threads:
        recorded = list(threads.map(lambda _: ledger.succeed(database, claimed, outputs(), DONE), range(4)))
    assert sorted(recorded) == [False, False, False, True]
    assert count_results(database) == 1


def test_progress_is_written_down(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    claimed, now = claim_one(database), utc_now()
    ledger.advance(database, [Advance(claimed.job_id, claimed.attempt, "projecting", 20, now)])
    job = state(database, claimed.job_id)
    assert (job.progress_step, job.progress_percent, job.progress_at) == ("projecting", 20, now)


def test_a_failure_has_its_sentence(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    claimed = claim_one(database)
    assert ledger.fail(database, claimed, "k is too large.")
    job = state(database, claimed.job_id)
    assert (job.status, job.error_message) == (JobState.FAILURE, "k is too large.")


def test_a_job_whose_worker_dies_is_tried_again_but_not_for_ever(database: Database, dataset_id: UUID) -> None:
    (job_id,) = add_jobs(database, dataset_id)
    for _ in range(2):
        assert not ledger.retry(database, claim_one(database), 3, "its worker died")
        assert state(database, job_id).status == JobState.PENDING
        assert state(database, job_id).error_message is None
    assert ledger.retry(database, claim_one(database), 3, "its worker died")
    job = state(database, job_id)
    assert (job.status, job.error_message, job.attempt) == (JobState.FAILURE, "its worker died", 3)


def test_what_was_under_way_when_the_platform_was_killed_is_pending_again_but_not_for_ever(
    database: Database, dataset_id: UUID
) -> None:
    running, waiting = add_jobs(database, dataset_id), add_jobs(database, dataset_id)
    for _ in range(2):
        claim_one(database)
        ledger.resume(database, 3, "interrupted")
        assert state(database, running[0]).status == JobState.PENDING
    claim_one(database)
    ledger.resume(database, 3, "interrupted")
    job = state(database, running[0])
    assert (job.status, job.error_message, job.attempt) == (JobState.FAILURE, "interrupted", 3)
    assert state(database, waiting[0]).attempt == 0


def test_after_a_fault_only_what_is_really_under_way_stays_started(database: Database, dataset_id: UUID) -> None:
    known, unknown = add_jobs(database, dataset_id), add_jobs(database, dataset_id)
    assert len(ledger.claim(database, 2)) == 2
    ledger.put_back_all_but(database, known)
    assert state(database, known[0]).status == JobState.STARTED
    assert state(database, unknown[0]).status == JobState.PENDING
    ledger.put_back_all_but(database, [])
    assert state(database, known[0]).status == JobState.PENDING


def test_a_job_that_is_gone_takes_no_result(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    claimed = replace(claim_one(database), job_id=uuid4())
    assert not ledger.succeed(database, claimed, outputs(), DONE)
    assert not ledger.retry(database, claimed, 3, "its worker died")
    assert count_results(database) == 0


def test_a_killed_job_takes_no_result_and_is_not_started_again(database: Database, dataset_id: UUID) -> None:
    waiting, running = add_jobs(database, dataset_id, 2)
    claimed = claim_one(database)
    with database.write() as session:
        ledger.kill(session, Job.user_id == claimed.user_id, "not wanted")
    assert ledger.unwanted(database, [claimed]) == {claimed.job_id}
    assert not ledger.succeed(database, claimed, outputs(), DONE)
    assert not ledger.fail(database, claimed, "too late")
    ledger.put_back(database, [claimed])
    ledger.resume(database, 3, "interrupted")
    for job_id in (waiting, running):
        job = state(database, job_id)
        assert (job.status, job.error_message) == (JobState.KILLED, "not wanted")
    assert ledger.claim(database, 2) == []
    assert count_results(database) == 0


def test_a_job_that_is_over_is_not_killed(database: Database, dataset_id: UUID) -> None:
    (job_id,) = add_jobs(database, dataset_id)
    assert ledger.succeed(database, claim_one(database), outputs(), DONE)
    with database.write() as session:
        ledger.kill(session, Job.id == job_id, "not wanted")
    assert state(database, job_id).status == JobState.SUCCESS


def test_only_what_is_under_way_by_the_latest_attempt_is_wanted(database: Database, dataset_id: UUID) -> None:
    add_jobs(database, dataset_id)
    first = claim_one(database)
    assert ledger.unwanted(database, [first]) == set()
    ledger.put_back(database, [first])
    second = claim_one(database)
    assert ledger.unwanted(database, [first]) == {first.job_id}
    assert ledger.unwanted(database, [second]) == set()


def test_a_summary_of_columns_that_were_declared_anew_is_not_kept(database: Database, dataset_id: UUID) -> None:
    for declared_meanwhile in (True, False):
        with database.write() as session:
            user_id = session.get_one(Dataset, dataset_id).user_id
            session.add(Job(user_id=user_id, kind="analysis", parameters={}, dataset_id=dataset_id, request_hash=""))
        claimed = claim_one(database)
        if declared_meanwhile:
            with database.write() as session:
                session.get_one(Dataset, dataset_id).columns = [{**COLUMN, "type": "float"}]
        assert ledger.succeed(database, claimed, outputs(), Done(summary={"stats": []}, seconds=0.5))
        with database.read() as session:
            dataset = session.get_one(Dataset, dataset_id)
        assert (dataset.summary, dataset.analysis_duration) == (
            (None, None) if declared_meanwhile else ({"stats": []}, 0.5)
        )
