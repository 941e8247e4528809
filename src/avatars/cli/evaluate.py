"""``avatars evaluate``: what avatars are worth, made here or anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.common import (
    ColumnTypes,
    Encoding,
    Report,
    ReportLanguage,
    ToCategoricalThreshold,
    check_report,
    declared_types,
    engine_extra,
    note,
    plain_endings,
)
from avatars.cli.metrics_table import print_metrics


def evaluate(
    original: Annotated[Path, typer.Argument(help="The sensitive table: CSV or Parquet, one row a person.")],
    avatars: Annotated[Path, typer.Argument(help="Its unshuffled avatars: row i belongs to row i of the originals.")],
    holdout: Annotated[
        Path | None,
        typer.Option(help="People like the originals, none of whom is among them.", show_default=False),
    ] = None,
    shuffled: Annotated[
        bool, typer.Option("--shuffled", help="The avatars are in an order of their own, as published ones are.")
    ] = False,
    known: Annotated[
        list[str] | None, typer.Option(help="COLUMN that an attacker knows; repeatable.", show_default=False)
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="COLUMN that an attacker wants to know, and a model is to predict.")
    ] = None,
    link_by: Annotated[
        list[str] | None,
        typer.Option(help="Categorical COLUMN of categorical_hidden_rate; repeatable.", show_default="all"),
    ] = None,
    closest_percentage: Annotated[float, typer.Option(help="closest_rate_percentage_threshold, 0 to 100.")] = 0.3,
    closest_ratio: Annotated[float, typer.Option(help="closest_rate_ratio_threshold, 0 to 1.")] = 0.3,
    thorough: Annotated[bool, typer.Option(help="Take the utility metrics that take longer too.")] = True,
    ncp: Annotated[int | None, typer.Option(help="Components to measure distances in.", show_default="5")] = None,
    column_type: ColumnTypes = None,
    to_categorical_threshold: ToCategoricalThreshold = None,
    encoding: Encoding = None,
    report: Report = None,
    language: ReportLanguage = "en",
    progress: Annotated[bool, typer.Option(help="Show a progress bar on a terminal.")] = True,
) -> None:
    """Print how private and how useful avatars are; no cell is shown."""
    with engine_extra():
        from avatars.engine.parameters import Parameters
        from avatars.evaluation.request import Request
        from avatars.files import evaluate_files

    check_report(report, original, avatars, *([holdout] if holdout is not None else []))
    with plain_endings(original):
        metrics = evaluate_files(
            original,
            avatars,
            Parameters(k=2, ncp=ncp),
            holdout=holdout,
            request=Request(known or (), target, closest_percentage, closest_ratio, link_by or (), shuffled, thorough),
            types=declared_types(column_type),
            to_categorical_threshold=to_categorical_threshold,
            encoding=encoding,
            report=report,
            language=language,
            progress=progress,
        )
    print_metrics(metrics)
    for remark in metrics.remarks:
        note(remark)
    if report is not None:
        typer.echo(f"The report is in {report}")
