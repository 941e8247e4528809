"""Metrics as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avatars.evaluation.evaluate import Evaluation
    from avatars.evaluation.metric import Metric

_NAMED = 3
"""Columns that are named as the worst: three, or one pair or triple of them."""


def print_metrics(metrics: Evaluation) -> None:
    """Print every metric with its target and what it is to be read beside, or why it was not computed."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    computed = [metric for metric in metrics.metrics if metric.value is not None]
    baselines, worst = any(metric.baseline for metric in computed), any(metric.parts for metric in computed)
    table = Table("metric", "value", "target", *(["beside"] if baselines else []), *(["worst"] if worst else []))
    for before, metric in zip([None, *computed], computed, strict=False):
        if before is not None and (before.criterion == "utility") != (metric.criterion == "utility"):
            table.add_section()
        cells = [metric.name, f"{metric.value:.3f}", metric.target or ""]
        cells += [_beside(metric)] if baselines else []
        cells += [_worst(metric)] if worst else []
        table.add_row(*cells)
    console = Console()
    if not console.is_terminal:
        # A file or another program has no width: nothing is wrapped for it.
        endless = console.options.update(width=10_000)
        console.width = max(console.width, Measurement.get(console, endless, table).maximum)
    console.print(table)
    for reason in dict.fromkeys(metric.reason for metric in metrics.metrics if metric.value is None):
        names = ", ".join(metric.name for metric in metrics.metrics if metric.reason == reason)
        console.print(f"Not computed: {names}: {reason}.", markup=False, highlight=False, soft_wrap=True)


def _beside(metric: Metric) -> str:
    if metric.baseline is None:
        return ""
    alike = metric.baseline.same_rows
    said = f"{metric.baseline.value:.3f} {metric.baseline.what}"
    return said if alike is None else f"{said}; avatars on as few rows {alike:.3f}"


def _worst(metric: Metric) -> str:
    from rich.markup import escape

    together = max(map(len, metric.parts), default=1)
    named = list(metric.parts)[: max(1, _NAMED // together)]
    return escape(", ".join(" x ".join(map(_printable, columns)) for columns in named))


def _printable(name: str) -> str:
    # A name is somebody else's: no control characters.
    return name if name.isprintable() else repr(name)
