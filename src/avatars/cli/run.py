"""``avatars run``: a table in, avatars out, without a server."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.assessment_table import print_assessment, print_choice
from avatars.cli.common import (
    ColumnTypes,
    Encoding,
    Report,
    ReportLanguage,
    ToCategoricalThreshold,
    check_report,
    declared_types,
    engine_extra,
    fail,
    pairs,
    plain_endings,
)
from avatars.cli.metrics_table import print_metrics


def run(
    data: Annotated[Path, typer.Argument(help="The sensitive table: CSV or Parquet, one row a person.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the avatars go; .csv or .parquet.")],
    k: Annotated[
        str | None,
        typer.Option(
            "-k",
            help="Neighbours that each avatar is drawn from; auto: the fewest that attacks let pass (slow).",
            show_default="a fifth of the rows, 10 to 100",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the run reproducible.", show_default=False)] = None,
    ncp: Annotated[int | None, typer.Option(help="Components to search neighbours in.", show_default="5")] = None,
    method: Annotated[
        str, typer.Option(help="How avatars are drawn: local, which withstands attacks; avatar, the published draw.")
    ] = "local",
    group: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN,COLUMN,... whose relation is to come out as it is; repeatable.", show_default=False),
    ] = None,
    identifiers: Annotated[
        str, typer.Option(help="Columns that identify people: refuse the table, or replace them by new numbers.")
    ] = "refuse",
    weight: Annotated[
        list[str] | None, typer.Option(help="COLUMN=WEIGHT in the neighbour search; repeatable.", show_default=False)
    ] = None,
    column_type: ColumnTypes = None,
    imputation: Annotated[
        str, typer.Option(help="How missing cells are filled in: fast_knn, knn, mode, median, mean.")
    ] = "fast_knn",
    exclude: Annotated[
        list[str] | None, typer.Option(help="COLUMN that the method leaves alone; repeatable.", show_default=False)
    ] = None,
    exclude_from_levels: Annotated[
        int | None, typer.Option(help="Exclude categorical columns of this many levels or more.", show_default=False)
    ] = None,
    exclude_strategy: Annotated[
        str,
        typer.Option(
            help="Whose cells of excluded columns an avatar gets: coordinate_similarity, those of a record like it; "
            "row_order, those of its own record (SENSITIVE)."
        ),
    ] = "coordinate_similarity",
    rare_threshold: Annotated[
        int, typer.Option(help="With --exclude-from-levels: replace levels of at most this many records.")
    ] = 0,
    rare_strategy: Annotated[
        str, typer.Option(help="How rare levels are replaced: most_similar, probabilistic, missing.")
    ] = "most_similar",
    reference_records: Annotated[
        int | None, typer.Option(help="Records that most_similar looks at.", show_default="all")
    ] = None,
    categorical_reduction: Annotated[
        bool, typer.Option("--categorical-reduction", help="Project columns of many levels as 20 numbers each.")
    ] = False,
    keep_imputed: Annotated[
        bool, typer.Option("--keep-imputed", help="Leave filled-in cells as they are: no missing cells come out.")
    ] = False,
    to_categorical_threshold: ToCategoricalThreshold = None,
    encoding: Encoding = None,
    memory: Annotated[
        str | None, typer.Option(help="What may be used, such as 4GB.", show_default="most of what is free")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            envvar="AVATARS_DASK_SCHEDULER",
            help="Address of a Dask scheduler whose workers compute; they must see the work folder.",
            show_default=False,
        ),
    ] = None,
    work_folder: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Where tables too large for the memory are worked on.",
            show_default="the system's temporary folder",
        ),
    ] = None,
    assess: Annotated[
        str,
        typer.Option(help="Attack avatars of half of the table: quick, in about the time of the run; thorough; none."),
    ] = "quick",
    report: Report = None,
    language: ReportLanguage = "en",
    progress: Annotated[bool, typer.Option(help="Show a progress bar on a terminal.")] = True,
) -> None:
    """Turn a table into avatars and print how private and how useful they are."""
    with engine_extra():
        from avatars.engine.machine import read_size
        from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, Parameters
        from avatars.files import anonymize_file

    if output.exists() and data.exists() and output.samefile(data):
        fail(f"The avatars would overwrite the originals in {data}: give -o another name.")
    if output.suffix.lower() not in (".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq"):
        fail(f"The avatars cannot be written as {output.name!r}: give -o a name that ends in .csv or .parquet.")
    if not output.resolve().parent.is_dir():
        fail(f"The folder of {output} does not exist: make it first, or give -o another name.")
    check_report(report, data, output)
    by_levels = None
    if exclude_from_levels is not None:
        by_levels = ExcludeCategorical(
            exclude_from_levels,
            exclude_strategy,  # type: ignore[arg-type]  # checked with the other parameters
            rare_threshold,
            rare_strategy,  # type: ignore[arg-type]  # likewise
            reference_records,
        )
    elif rare_threshold or reference_records is not None:
        fail("--rare-threshold and --reference-records are about excluded columns: add --exclude-from-levels.")
    with plain_endings(data), _cleaning_up_when_told_to_stop():
        types = declared_types(column_type)
        rows, metrics, assessment, choice = anonymize_file(
            data,
            output,
            Parameters(
                k=None if k is None or k == "auto" else _whole(k),
                ncp=ncp,
                seed=seed,
                method=method,  # type: ignore[arg-type]  # checked with the other parameters
                groups=tuple(tuple(columns.split(",")) for columns in group or ()),
                identifiers=identifiers,  # type: ignore[arg-type]  # likewise
                column_weights={name: _number(name, value) for name, value in pairs("--weight", weight)},
                imputation=Imputation(method=imputation),  # type: ignore[arg-type]  # likewise
                exclude_variables=ExcludeVariables(exclude, exclude_strategy) if exclude else None,  # type: ignore[arg-type]  # likewise
                exclude_categorical=by_levels,
                use_categorical_reduction=categorical_reduction,
                return_data_imputed=keep_imputed,
            ),
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            encoding=encoding,
            memory=None if memory is None else read_size(memory),
            work_folder=work_folder,
            scheduler=scheduler,
            announce=lambda estimate: typer.echo(estimate.in_words(), err=True),
            auto_k=k == "auto",
            assess=None if assess == "none" else assess,  # type: ignore[arg-type]  # checked with the other parameters
            report=report,
            language=language,
            progress=progress,
        )
    if choice is not None:
        print_choice(choice)
    print_metrics(metrics)
    if assessment is not None:
        print_assessment(assessment)
    typer.echo(f"{rows} avatars written to {output}")
    if report is not None:
        typer.echo(f"The report is in {report}")


@contextmanager
def _cleaning_up_when_told_to_stop() -> Iterator[None]:
    """Make SIGTERM an orderly end: files that hold originals must not be left behind."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _whole(k: str) -> int:
    try:
        return int(k)
    except ValueError:
        fail(f"k is a whole number of neighbours, or auto, not {k!r}.")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        fail(f"The weight of column {name!r} must be a number, for example --weight {name}=2.")
