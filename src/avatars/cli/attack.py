"""``avatars attack``: what an attacker finds in a synthetic table, made here or anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from avatars.cli.assessment_table import print_assessment
from avatars.cli.common import (
    ColumnTypes,
    Encoding,
    ToCategoricalThreshold,
    declared_types,
    engine_extra,
    plain_endings,
)


def attack(
    original: Annotated[Path, typer.Argument(help="The people that the synthetic table was made from.")],
    synthetic: Annotated[Path, typer.Argument(help="The synthetic table: the same columns, any number of rows.")],
    holdout: Annotated[
        Path,
        typer.Option(help="People like the originals, none of whom is among them.", show_default=False),
    ],
    thoroughness: Annotated[str, typer.Option(help="quick: by distances alone; thorough: every attack.")] = "thorough",
    linked: Annotated[
        bool, typer.Option("--linked", help="Row i of the synthetic table belongs to row i of the originals.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    column_type: ColumnTypes = None,
    to_categorical_threshold: ToCategoricalThreshold = None,
    encoding: Encoding = None,
    progress: Annotated[bool, typer.Option(help="Show a progress bar on a terminal.")] = True,
) -> None:
    """Attack a synthetic table made by anyone; print what was found, and a verdict. No cell is shown."""
    with engine_extra():
        from avatars.files import attack_files

    with plain_endings(original):
        assessment = attack_files(
            original,
            synthetic,
            holdout,
            thoroughness,  # type: ignore[arg-type]  # checked with the tables
            linked=linked,
            types=declared_types(column_type),
            to_categorical_threshold=to_categorical_threshold,
            encoding=encoding,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(assessment.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_assessment(assessment)
