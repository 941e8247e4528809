"""``avatars run``: a table in, avatars out, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatars.cli.common import (
    ColumnTypes,
    Encoding,
    ToCategoricalThreshold,
    declared_types,
    engine_extra,
    fail,
    pairs,
    plain_endings,
)

if TYPE_CHECKING:
    from avatars.evaluation.evaluate import Evaluation


def run(
    data: Annotated[Path, typer.Argument(help="The sensitive table: CSV or Parquet, one row a person.")],
    k: Annotated[int, typer.Option("-k", help="Neighbours that each avatar is drawn from.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the avatars go; .csv or .parquet.")],
    seed: Annotated[int | None, typer.Option(help="Makes the run reproducible.", show_default=False)] = None,
    ncp: Annotated[int | None, typer.Option(help="Components to search neighbours in.", show_default="5")] = None,
    method: Annotated[str, typer.Option(help="How avatars are drawn: avatar, the published draw.")] = "avatar",
    weight: Annotated[
        list[str] | None, typer.Option(help="COLUMN=WEIGHT in the neighbour search; repeatable.", show_default=False)
    ] = None,
    column_type: ColumnTypes = None,
    imputation: Annotated[
        str, typer.Option(help="How missing cells are filled in: fast_knn, knn, mode, median, mean.")
    ] = "fast_knn",
    to_categorical_threshold: ToCategoricalThreshold = None,
    encoding: Encoding = None,
    progress: Annotated[bool, typer.Option(help="Show a progress bar on a terminal.")] = True,
) -> None:
    """Turn a table into avatars and print how private and how useful they are."""
    with engine_extra():
        from avatars.engine.files import read_table, write_table
        from avatars.engine.parameters import Imputation, Parameters
        from avatars.local import anonymize_table

    if output.exists() and data.exists() and output.samefile(data):
        fail(f"The avatars would overwrite the originals in {data}: give -o another name.")
    if output.suffix.lower() not in (".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq"):
        fail(f"The avatars cannot be written as {output.name!r}: give -o a name that ends in .csv or .parquet.")
    if not output.resolve().parent.is_dir():
        fail(f"The folder of {output} does not exist: make it first, or give -o another name.")
    with plain_endings(data):
        types = declared_types(column_type)
        source = read_table(data, encoding=encoding)
        made, metrics = anonymize_table(
            source.table,
            Parameters(
                k=k,
                ncp=ncp,
                seed=seed,
                method=method,  # type: ignore[arg-type]  # checked with the other parameters
                column_weights={name: _number(name, value) for name, value in pairs("--weight", weight)},
                imputation=Imputation(method=imputation),  # type: ignore[arg-type]  # likewise
            ),
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=progress,
        )
        write_table(made.avatars, output, source.format)
    _print_metrics(metrics, output, source.table.num_rows)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        fail(f"The weight of column {name!r} must be a number, for example --weight {name}=2.")


def _print_metrics(metrics: Evaluation, output: Path, rows: int) -> None:
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from avatars.evaluation.evaluate import PRIVACY_TARGETS, SIGNAL_TARGETS

    table = Table("metric", "value", "target")
    for family, targets in ((metrics.privacy_metrics, PRIVACY_TARGETS), (metrics.signal_metrics, SIGNAL_TARGETS)):
        for name, value in asdict(family).items():
            shown = "not computed: fewer than two numeric columns" if value is None else f"{value:.3f}"
            table.add_row(name, shown, targets.get(name, ""))
        table.add_section()
    Console().print(table)
    typer.echo(f"{rows} avatars written to {output}")
