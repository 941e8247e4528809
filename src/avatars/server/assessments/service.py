"""What may be asked of assessments: to look at one, to try more, to release avatars in spite of one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.accounts.models import User
from avatars.server.assessments.describe import assessments_of
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.db import Database, owned, utc_now
from avatars.server.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from avatars.server.jobs.follow_up import assessment_of
from avatars.server.jobs.models import UNFINISHED, Job, JobKind, JobState
from avatars.server.jobs.service import find_owned


def find(database: Database, user: User, run_id: UUID) -> wire.Assessment:
    """Describe the assessment of an avatarization of this user; raises ``NotFound``."""
    with database.read() as session:
        return _of(session, find_owned(session, user, run_id, JobKind.AVATARIZATION))


def create(database: Database, user: User, run_id: UUID, thoroughness: wire.AssessmentThoroughness) -> None:
    """Have an avatarization assessed again; one of the same thoroughness that is not over is not doubled.

    Raises
    ------
    NotFound
        The user has no such job, or its originals are deleted.
    BadRequest
        It has not succeeded.
    """
    with database.write() as session:
        run = find_owned(session, user, run_id, JobKind.AVATARIZATION)
        if run.status != JobState.SUCCESS:
            raise BadRequest("job_not_successful", f"The job's status is not success but {run.status}: wait for it.")
        if run.dataset_id is None:
            raise NotFound("The originals of this job are deleted: nothing is left to assess.", "data_deleted")
        under_way = session.scalars(
            select(Job.parameters).where(
                Job.about_id == run.id, Job.kind == JobKind.ASSESSMENT, Job.status.in_(UNFINISHED)
            )
        )
        if all(parameters["thoroughness"] != thoroughness.value for parameters in under_way):
            session.add(assessment_of(session, run, thoroughness))
            record(session, Action.ASSESSMENT_CREATED, user.id, run.id)


def release(database: Database, admin: User, run_id: UUID, reason: str) -> wire.Assessment:
    """Let avatars be downloaded in spite of their assessment, whoever's they are; recorded.

    Raises
    ------
    NotFound
        There is no such avatarization.
    Conflict
        It has no avatars.
    """
    with database.write() as session:
        run = session.get(Job, run_id, with_for_update=True)
        if run is None or run.kind != JobKind.AVATARIZATION:
            raise NotFound("There is no avatarization with this id: check the id.")
        if run.avatars_dataset_id is None:
            raise Conflict("no_avatars", "This job has no avatars: there is nothing to release.")
        run.release = {"by": str(admin.id), "at": utc_now().isoformat(), "reason": reason}
        record(session, Action.AVATARS_RELEASED, admin.id, run.id)
        session.flush()
        return _of(session, run)


def check_release(database: Database, user: User, dataset_id: UUID) -> None:
    """Refuse what the policy ``enforce`` keeps back: avatars that are not assessed yet, or that should not go out.

    The unshuffled avatars are the same avatars. Datasets that no job made are not concerned.

    Raises
    ------
    NotFound
        The user has no such dataset.
    Forbidden
        The assessment says BLOCK, and no admin has released them.
    Unavailable
        The assessment is not over.
    Conflict
        It could not be made.
    """
    with database.read() as session:
        dataset = owned(session, user.id, Dataset, dataset_id)
        if dataset.kind == DatasetKind.ORIGINAL:
            return
        made = (Job.avatars_dataset_id == dataset_id, Job.sensitive_unshuffled_avatars_dataset_id == dataset_id)
        run = session.scalars(select(Job).where(or_(*made))).one_or_none()
        if run is not None and run.release is not None:
            return
        # Avatars may outlive their job, and with it what was found.
        assessment = None if run is None else assessments_of(session, [run]).get(run.id)
    if assessment is not None and not assessment.status.is_over:
        raise Unavailable(
            "assessment_not_ready", "The avatars are still being assessed: ask again in a few seconds, or see the job."
        )
    if assessment is None or assessment.status is not wire.JobStatus.success:
        raise Conflict(
            "assessment_failed",
            "The avatars could not be assessed, and this platform gives out none that are not: have them assessed "
            "again, or ask an admin to release them.",
        )
    if assessment.verdict is wire.AssessmentVerdict.block:
        raise Forbidden(
            "release_blocked",
            "Attacks on avatars made this way found too much, and this platform does not give such avatars out: see "
            "the job's assessment for what to change, or ask an admin to release them.",
        )


def _of(session: Session, run: Job) -> wire.Assessment:
    assessment = assessments_of(session, [run]).get(run.id)
    if assessment is None:
        raise NotFound("This job has no assessment: it comes with the avatars, or can be asked for.", "no_assessment")
    return assessment
