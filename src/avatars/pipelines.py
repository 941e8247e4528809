"""Pipelines: processors, an avatarization, the processors' way back, metrics; resumable at every step."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

from avatars._bar import Section, progress_bar
from avatars.errors import AvatarsError, InvalidInput, JobFailed, NotFound, PipelineFailed, RequestTimeout
from avatars.models import (
    AvatarizationJobCreate,
    AvatarizationPipelineCreate,
    AvatarizationPipelineResult,
    JobStatus,
    PrivacyMetricsJobCreate,
    PrivacyMetricsParameters,
    Processor,
    SignalMetricsJobCreate,
    SignalMetricsParameters,
)
from avatars.models.jobs import Job
from avatars.pandas_integration import PandasIntegration
from avatars.resources.jobs import Jobs

if TYPE_CHECKING:
    import pandas as pd

JobT = TypeVar("JobT", bound=Job)
ResultT = TypeVar("ResultT")

STEPS = 12
"""Of a pipeline with processors; one without has fewer."""


class Pipelines:
    """Whole ways from originals to avatars, in one call."""

    def __init__(self, jobs: Jobs, pandas_integration: PandasIntegration, *, progress: bool = True) -> None:
        self._jobs = jobs
        self._pandas = pandas_integration
        self._progress = progress
        # How far requests have come that did not come to their end, by id(), for as long as the caller keeps them.
        self._unfinished: dict[int, _Done] = {}

    def avatarization_pipeline_with_processors(
        self,
        request: AvatarizationPipelineCreate,
        *,
        timeout: float | None = None,
        per_request_timeout: float | None = None,
        progress: bool | None = None,
    ) -> AvatarizationPipelineResult:
        """Apply processors to originals, avatarize what they give, undo them, and measure the avatars.

        The metrics compare the originals with the avatars after all processors. Neither the request nor its frame
        is changed; the index of the frame does not matter.

        Where it fails, call it again **with the same request object**: it goes on at the step that failed, and
        nothing is sent or computed twice. That holds after an interrupt (Ctrl-C), too. What has been done is
        remembered, unshuffled avatars included, until the pipeline ends or the request object is gone.

        Memory: five copies of the frame.

        Parameters
        ----------
        timeout
            Seconds to wait for each of the three jobs; by default until it is over.
        per_request_timeout
            Seconds that the platform may be silent while a job is waited for; 10 by default.
        progress
            False hides the table of progress; by default as the client was told.

        Raises
        ------
        avatars.errors.InvalidInput
            The request holds no pandas frame; nothing was sent.
        avatars.errors.PipelineFailed
            A step failed, or a job was not over in time. ``step`` and ``ids`` say where, the error's cause why.
        """
        import pandas as pd

        if not isinstance(request.df, pd.DataFrame):
            raise InvalidInput("AvatarizationPipelineCreate takes a pandas.DataFrame as df.")
        shown = self._progress if progress is None else progress
        waiting = {"timeout": timeout, "per_request_timeout": per_request_timeout, "progress": shown}
        done = self._done_for(request)
        with progress_bar("pipeline", shown=shown) as steps:
            result = self._run(request, done, steps, waiting)
        self._unfinished.pop(id(request), None)
        return result

    def _run(
        self, request: AvatarizationPipelineCreate, done: _Done, steps: Section, waiting: dict[str, Any]
    ) -> AvatarizationPipelineResult:
        parameters = request.avatarization_job_create.parameters
        once, shown = done.once, waiting["progress"]
        done.steps = steps

        def upload(frame: pd.DataFrame, name: str) -> UUID:
            return self._pandas.upload_dataframe(frame, idempotency_key=done.key(name), progress=shown).id

        # Without processors what is avatarized and measured is on the platform already.
        original = once(
            "sending the originals",
            lambda: parameters.dataset_id or upload(_plain(request.df), "originals"),
            "original_dataset",
        )
        if request.processors:
            prepared = once("preprocessing", lambda: _preprocessed(request.df, request.processors))
            prepared_id = once(
                "sending what was preprocessed", lambda: upload(prepared, "prepared"), "preprocessed_dataset"
            )
        else:
            prepared_id = original

        create = AvatarizationJobCreate(parameters=parameters.model_copy(update={"dataset_id": prepared_id}))
        job_id = once(
            "launching",
            lambda: self._jobs.create_avatarization_job(create, idempotency_key=done.key("launching")).id,
            "avatarization_job",
        )
        made = once("avatarizing", lambda: _over(self._jobs.get_avatarization_job(job_id, **waiting)), undo="launching")
        assert made.result is not None
        sensitive_id = made.result.sensitive_unshuffled_avatars_datasets.id
        sensitive_avatars = fetched = once(
            "fetching the avatars", lambda: self._pandas.download_dataframe(sensitive_id, progress=shown)
        )
        if request.processors:
            sensitive_avatars = once("postprocessing", lambda: _postprocessed(request.df, fetched, request.processors))
            sensitive_id = once(
                "sending the avatars",
                lambda: upload(sensitive_avatars, "avatars"),
                "sensitive_unshuffled_avatars_dataset",
            )

        privacy = PrivacyMetricsParameters(
            original_id=original,
            unshuffled_avatars_id=sensitive_id,
            ncp=parameters.ncp,
            imputation=parameters.imputation,
            seed=parameters.seed,
        )
        signal = SignalMetricsParameters(original_id=original, avatars_id=sensitive_id, seed=parameters.seed)
        privacy_id = once(
            "launching the privacy metrics",
            lambda: (
                self._jobs.create_privacy_metrics_job(
                    PrivacyMetricsJobCreate(parameters=privacy), idempotency_key=done.key("privacy metrics")
                ).id
            ),
            "privacy_job",
        )
        signal_id = once(
            "launching the signal metrics",
            lambda: (
                self._jobs.create_signal_metrics_job(
                    SignalMetricsJobCreate(parameters=signal), idempotency_key=done.key("signal metrics")
                ).id
            ),
            "signal_job",
        )
        signal_job = once(
            "measuring utility",
            lambda: _over(self._jobs.get_signal_metrics(signal_id, **waiting)),
            undo="launching the signal metrics",
        )
        privacy_job = once(
            "measuring privacy",
            lambda: _over(self._jobs.get_privacy_metrics(privacy_id, **waiting)),
            undo="launching the privacy metrics",
        )
        assert privacy_job.result is not None
        assert signal_job.result is not None
        return AvatarizationPipelineResult(
            privacy_metrics=privacy_job.result,
            signal_metrics=signal_job.result,
            post_processed_avatars=_published(sensitive_avatars),
            avatarization_job_id=job_id,
            privacy_job_id=privacy_id,
            signal_job_id=signal_id,
        )

    def _done_for(self, request: AvatarizationPipelineCreate) -> _Done:
        done = self._unfinished.get(id(request))
        if done is None or not done.is_for(request):
            done = self._unfinished[id(request)] = _Done(request)
            weakref.finalize(request, self._unfinished.pop, id(request), None).atexit = False
        parameters = request.avatarization_job_create.parameters.model_dump()
        if done.parameters != parameters:
            # The tables are the same: what was sent need not be sent again.
            done.forget_from("launching")
            done.parameters = parameters
        return done


class _Done:
    """What one pipeline has done so far: the result of each step."""

    def __init__(self, request: AvatarizationPipelineCreate) -> None:
        # Not the request itself: this lives as long as that does, and no longer.
        self._asked = (request.df, *request.processors)
        self._dataset_id = request.avatarization_job_create.parameters.dataset_id
        self.parameters: dict[str, Any] | None = None
        self.steps = Section()
        self._results: dict[str, Any] = {}
        self._ids: dict[str, UUID] = {}
        self._keys: dict[str, str] = {}

    def is_for(self, request: AvatarizationPipelineCreate) -> bool:
        """Return whether the request still asks for the same way of the same table."""
        asked = (request.df, *request.processors)
        return (
            len(asked) == len(self._asked)
            and all(one is other for one, other in zip(asked, self._asked, strict=True))
            and request.avatarization_job_create.parameters.dataset_id == self._dataset_id
        )

    def once(
        self, step: str, compute: Callable[[], ResultT], id_name: str | None = None, *, undo: str | None = None
    ) -> ResultT:
        """Return what a step gives, computed at most once.

        Parameters
        ----------
        id_name
            What the step's result is called among the ids of an error.
        undo
            The step to begin again with where a job has failed for good.
        """
        if step not in self._results:
            self.steps("pipeline", min(len(self._results) / STEPS, 0.99))
            self.steps.note(step)
            with self._failing_at(step, undo):
                self._results[step] = compute()
        result: ResultT = self._results[step]
        if id_name is not None and isinstance(result, UUID):
            self._ids[id_name] = result
        return result

    def key(self, name: str) -> str:
        """Return the idempotency key of a job or a dataset: one whose answer was lost is not made twice."""
        return self._keys.setdefault(name, str(uuid4()))

    def forget_from(self, step: str | None) -> None:
        """Forget a step and all after it."""
        self._keys.clear()
        names = list(self._results)
        for name in names[names.index(step) :] if step in names else []:
            del self._results[name]

    @contextmanager
    def _failing_at(self, step: str, undo: str | None) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"The pipeline stopped at {step!r}. {_WAY_ON}")
            raise
        except Exception as error:
            if isinstance(error, JobFailed):
                self.forget_from(undo)
            elif isinstance(error, NotFound):
                # Somebody has deleted what was sent or computed.
                self._results.clear()
                self._keys.clear()
            reason = error.message if isinstance(error, AvatarsError) else f"{type(error).__name__}: {error}"
            message = f"The pipeline stopped at {step!r}: {reason.rstrip('.')}. {_WAY_ON}"
            raise PipelineFailed(message, step, dict(self._ids)) from error


_WAY_ON = "What is done is kept: call it again with the same request object to go on from there."


def _over(job: JobT) -> JobT:
    """Return a job that was waited for; raises where it failed, or is not over yet."""
    if not job.status.is_over:
        raise RequestTimeout("the job was not over within `timeout` seconds, and goes on")
    if job.status is not JobStatus.success:
        raise JobFailed(job.error_message or f"the job ended as {job.status.value}", job.id)
    return job


# --- frames ---------------------------------------------------------------------------------------------


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with numbered rows: an index may name people, and processors work by row."""
    copy = frame.reset_index(drop=True).copy()
    copy.attrs = {}
    return copy


def _preprocessed(df: pd.DataFrame, processors: Sequence[Processor]) -> pd.DataFrame:
    frame = _plain(df)
    for processor in processors:
        frame = _checked(processor.preprocess(frame), df, f"{type(processor).__name__}.preprocess")
    return frame


def _postprocessed(df: pd.DataFrame, sensitive_avatars: pd.DataFrame, processors: Sequence[Processor]) -> pd.DataFrame:
    frame = sensitive_avatars.copy()
    for processor in reversed(processors):
        frame = _checked(processor.postprocess(_plain(df), frame), df, f"{type(processor).__name__}.postprocess")
    return frame


def _checked(frame: Any, df: pd.DataFrame, call: str) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(f"{call} must return a pandas.DataFrame.")
    if len(frame) != len(df):
        raise InvalidInput(f"{call} must return a row for each of the {len(df)} rows, not {len(frame)}.")
    return frame.reset_index(drop=True)


def _published(sensitive_avatars: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in an order that carries no trace of the originals.

    They are sorted by their content, so that nothing is left of where they stood; and then shuffled with fresh
    randomness of the system, which no seed gives again.
    """
    import numpy as np
    import pandas as pd

    by_content = np.argsort(pd.util.hash_pandas_object(sensitive_avatars, index=False).to_numpy(), kind="stable")
    return sensitive_avatars.iloc[np.random.default_rng().permutation(by_content)].reset_index(drop=True)
