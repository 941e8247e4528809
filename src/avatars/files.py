"""The same in files, for the command line: tables are read, worked on and written within bounds of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from avatars._bar import progress_bar
from avatars._extras import missing_extra
from avatars.engine.columns import Kind
from avatars.engine.errors import EngineError
from avatars.engine.estimate import Estimate
from avatars.engine.files import check_disk, read_table, write_table
from avatars.engine.machine import available_memory
from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from avatars.engine.workspace import Workspace
from avatars.evaluation import assess as gatekeepers
from avatars.evaluation import evaluate as judges
from avatars.evaluation.assessment import Assessment, Thoroughness
from avatars.evaluation.auto_k import Choice
from avatars.evaluation.estimate import with_assessment
from avatars.evaluation.evaluate import Evaluation
from avatars.evaluation.request import Request
from avatars.report import format_of
from avatars.report.words import words_of
from avatars.results import evaluated, sha256_of
from avatars.running import BarProgress, advise, with_chosen_k

# The rest is left to other programs, and to the estimate's own error.
_SHARE_OF_MEMORY = 0.7


def anonymize_file(
    data: Path,
    output: Path,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    encoding: str | None = None,
    memory: int | None = None,
    work_folder: Path | None = None,
    scheduler: str | None = None,
    announce: Callable[[Estimate], None] | None = None,
    auto_k: bool = False,
    assess: Thoroughness | None = "quick",
    report: Path | None = None,
    language: str = "en",
    progress: bool = True,
) -> tuple[int, Evaluation, Assessment | None, Choice | None]:
    """Write avatars of the table in one file to another.

    Returns how many, what they are worth, what attacks find, and, with ``auto_k``, why this k.

    ``memory`` is what may be used, in bytes; most of what is free if None. A run that is estimated to need more keeps
    its arrays in files of ``work_folder`` (the system's folder for temporary files if None), and gives the same bytes.
    ``scheduler`` is the address of a Dask scheduler whose workers see ``work_folder`` under the same path: they compute
    what is large. ``announce`` is told the estimate before work starts. The output appears when it is complete, and
    then the ``report``, in its ``language``.
    """
    _check_report(report, language)
    if memory is None and (free := available_memory()) is not None:
        memory = int(_SHARE_OF_MEMORY * free)
    with (
        progress_bar("reading the file", shown=progress) as update,
        Workspace(work_folder, memory, shared=scheduler is not None) as workspace,
        _computing_on(scheduler),
    ):
        bar = BarProgress(update)
        source = read_table(data, encoding=encoding, workspace=workspace, progress=bar)

        def check_and_announce(expected: Estimate) -> None:
            check_disk(output, expected.least_output)
            advise(parameters, expected.rows)
            if announce is not None:
                announce(with_assessment(expected, assess))

        parameters, choice = with_chosen_k(
            source.table,
            parameters,
            auto_k=auto_k,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=bar,
            workspace=workspace,
        )
        # What attacks will not ask for is not held while the run is at work.
        table, format = [source.table], source.format
        del source
        made = run(
            table.pop() if assess is None else table[0],
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=bar,
            workspace=workspace,
            announce=check_and_announce,
        )
        metrics = judges.evaluate_run(made, progress=bar, workspace=workspace)
        write_table(made.published, output, format, bar)
        rows, used, replaced = made.published.num_rows, made.parameters, made.replaced
        del made  # its arrays make room for those of the attack
        assessment = None
        if assess is not None:
            assessment = gatekeepers.assess(
                table[0],
                parameters,
                assess,
                types=types,
                to_categorical_threshold=to_categorical_threshold,
                progress=bar,
                workspace=workspace,
            )
        if report is not None:
            update("writing the report", None)
            marks = {"avatars_sha256": sha256_of(output)}
            given = parameters.seed is not None
            judged = evaluated(metrics, used, seed_was_given=given, replaced=replaced)
            judged.report_on(marks, assessment, choice, report, language)
        update("done", 1.0)
    return rows, metrics, assessment, choice


def evaluate_files(
    original: Path,
    avatars: Path,
    parameters: Parameters,
    *,
    holdout: Path | None = None,
    request: Request,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    encoding: str | None = None,
    report: Path | None = None,
    language: str = "en",
    progress: bool = True,
) -> Evaluation:
    """Return the metrics of the tables in files; write the ``report`` about them, if one is asked for."""
    _check_report(report, language)
    with progress_bar("reading the file", shown=progress) as update:
        judged = judges.evaluate(
            read_table(original, encoding=encoding).table,
            read_table(avatars, encoding=encoding).table,
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            held_out=None if holdout is None else read_table(holdout, encoding=encoding).table,
            request=request,
            progress=BarProgress(update),
        )
        if report is not None:
            update("writing the report", None)
            marks = {"avatars_sha256": sha256_of(avatars)}
            evaluated(judged, None, marks=marks).report(report, language=language)
        return judged


def attack_files(
    original: Path,
    synthetic: Path,
    holdout: Path,
    thoroughness: Thoroughness = "thorough",
    *,
    linked: bool = False,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    encoding: str | None = None,
    progress: bool = True,
) -> Assessment:
    """Return what attacks find in the tables of files."""
    with progress_bar("reading the file", shown=progress) as update:
        return gatekeepers.attack(
            read_table(original, encoding=encoding).table,
            read_table(synthetic, encoding=encoding).table,
            read_table(holdout, encoding=encoding).table,
            thoroughness,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            linked=linked,
            progress=BarProgress(update),
        )


def _computing_on(scheduler: str | None) -> AbstractContextManager[None]:
    if scheduler is None:
        return nullcontext()
    try:
        from avatars.cluster import working_on_scheduler
    except ModuleNotFoundError as error:
        raise EngineError(missing_extra("server"), code="missing_extra") from error
    return working_on_scheduler(scheduler)


def _check_report(report: Path | None, language: str) -> None:
    """Refuse, before work starts, a report that could not be written."""
    if report is not None:
        format_of(report)
        words_of(language)
