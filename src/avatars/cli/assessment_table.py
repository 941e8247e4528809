"""What attacks found, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from avatars.evaluation.assessment import Assessment
    from avatars.evaluation.auto_k import Choice


def print_assessment(assessment: Assessment) -> None:
    """Print the figures as a table, then the verdict with its reasons."""
    from rich.console import Console
    from rich.table import Table

    table = Table("attack", "figure", "value", "95 % bounds", "of fresh people", "verdict")
    for figure in assessment.figures:
        if figure.value is not None:
            table.add_row(
                figure.attack,
                figure.name,
                f"{figure.value:.3f}",
                "" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}",
                "" if figure.null is None else f"{figure.null:.3f}",
                figure.verdict or "",
            )
    if table.row_count:
        console = Console()
        if not console.is_terminal:
            console.width = max(console.width, 120)
        console.print(table)
    typer.echo(assessment)


def print_choice(choice: Choice) -> None:
    """Print what attacks find and statistics lose over k, then why this one."""
    from rich.console import Console
    from rich.table import Table

    table = Table("k", "nearest_auc", "95 % bounds", "accuracy of pairs", "verdict")
    looks = [*((point, "") for point in choice.points), *((point, ", parted anew") for point in choice.again)]
    for point, how in looks:
        table.add_row(
            f"{point.k}{how}",
            "" if point.nearest_auc is None else f"{point.nearest_auc:.3f}",
            "" if point.low is None else f"{point.low:.3f} to {point.high:.3f}",
            "" if point.bivariate_accuracy is None else f"{point.bivariate_accuracy:.3f}",
            point.verdict,
        )
    if choice.fresh_people is not None:
        table.add_row("fresh people", "", "", f"{choice.fresh_people:.3f}", "")
    if choice.points:
        Console().print(table)
    typer.echo(choice.reason)
