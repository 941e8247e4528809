"""`make bench`: measure, print, and keep the figures as JSON in bench/results/."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet
from rich.console import Console
from rich.table import Table

from bench import engine, service, sizes
from bench.generate import mixed

RESULTS = Path(__file__).parent / "results"
ROWS_OF_COMMAND = 30_000
ROWS_OF_STEPS = (30_000, 200_000)
GOALS = {
    "server ready": 4.0,
    "iris job, from its creation to success": 2.0,
    "import avatars.client": 0.3,
    "avatars run, 30,000 x 15 mixed": 3.0,
}
"""Seconds that each may take on two cores."""

console = Console(highlight=False)


def main() -> None:
    console.print(f"{machine()['processor']}, {machine()['cores']} cores, Python {machine()['python']}")
    console.print("What a user waits for ...")
    waits = service.platform_seconds()
    waits["import avatars.client"] = service.import_seconds()
    waits["avatars run, 30,000 x 15 mixed"] = service.command_seconds(ROWS_OF_COMMAND)
    console.print(waits_table(waits))
    console.print("The engine beside saiph and scikit-learn ...")
    steps = []
    for rows in ROWS_OF_STEPS:
        steps.append(engine.compare(rows))
        console.print(steps_table(steps[-1]))
    console.print("A Gaussian copula on the same 200,000 rows ...")
    copula = copula_seconds(ROWS_OF_STEPS[-1])
    ours = sum(steps[-1].ours.get(step, 0.0) for step in engine.COMPARED)
    console.print(
        f"fit {copula['fit']:.1f} s, sample {copula['sample']:.1f} s: {sum(copula.values()) / ours:.0f} times ours"
    )
    console.print("Whole runs, from the command to the written file ...")
    runs = [sizes.measure(shape) for shape in sizes.SHAPES]
    console.print(runs_table(runs))
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M%S}.json"
    figures = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "waits": waits,
        "steps": [asdict(each) for each in steps],
        "copula": copula,
        "runs": [asdict(each) for each in runs],
    }
    path.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"Wrote {path.relative_to(RESULTS.parents[1])}")


def waits_table(waits: dict[str, float]) -> Table:
    """Return the seconds of each thing beside what it may take."""
    table = Table("", "seconds", "goal", title="Waiting", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, seconds in waits.items():
        table.add_row(name, f"{seconds:.2f}", f"< {GOALS[name]:g}")
    return table


def steps_table(times: engine.StepTimes) -> Table:
    """Return each step of both stacks, and how many times longer the reference takes."""
    table = Table("step", "ours, s", "reference, s", "ratio", title=f"{times.rows:,} x 15", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for step, seconds in times.ours.items():
        other = times.reference.get(step)
        ratio = "" if other is None else f"{other / seconds:.1f}"
        table.add_row(step, f"{seconds:.2f}", "" if other is None else f"{other:.2f}", ratio)
    ours = sum(times.ours.get(step, 0.0) for step in engine.COMPARED)
    reference = sum(times.reference.values())
    table.add_section()
    table.add_row("steps of both", f"{ours:.2f}", f"{reference:.2f}", f"{reference / ours:.1f}")
    table.add_row("all steps", f"{sum(times.ours.values()):.2f}", "", "")
    return table


def runs_table(runs: list[sizes.Taken]) -> Table:
    """Return seconds and memory of each run beside what it may take."""
    table = Table("table", "seconds", "goal", "GB", "goal", title="avatars run, k = 20", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for run in runs:
        goals = ["" if goal is None else f"< {goal:g}" for goal in (run.most_seconds, run.most_gigabytes)]
        table.add_row(run.name, f"{run.seconds:.1f}", goals[0], f"{run.gigabytes:.1f}", goals[1])
    return table


def copula_seconds(rows: int) -> dict[str, float]:
    """Return the seconds of a Gaussian copula's fit and sample, by the interpreter that has the peer."""
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        path = Path(folder) / "table.parquet"
        pyarrow.parquet.write_table(mixed(rows), path)
        script = Path(__file__).with_name("copula.py")
        answer = subprocess.check_output([os.environ["COPULA_PYTHON"], script, path])
    seconds: dict[str, float] = json.loads(answer)
    return seconds


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    packages = ("open-avatars", "numpy", "scipy", "pyarrow", "pandas", "saiph", "scikit-learn")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def _processor() -> str:
    """Return the processor's name; platform.processor() is empty on Linux."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
