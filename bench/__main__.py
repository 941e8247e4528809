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

from bench import engine, load, service, sizes
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
    console.print(f"{load.CLIENTS} clients at the same time ...")
    crowds = [load.measure(jobs=jobs) for jobs in (0, load.JOBS)]
    console.print(crowd_table(crowds))
    console.print("The engine beside saiph and scikit-learn ...")
    steps = []
    for rows in ROWS_OF_STEPS:
        steps.append(engine.compare(rows))
        console.print(steps_table(steps[-1]))
    console.print("A Gaussian copula on the same 200,000 rows ...")
    copula = copula_seconds(ROWS_OF_STEPS[-1])
    ours = sum(steps[-1].default[step].seconds for step in engine.COMPARED)
    console.print(
        f"fit {copula['fit']:.1f} s, sample {copula['sample']:.1f} s:"
        f" {sum(copula.values()) / ours:.0f} times our default draw"
    )
    console.print("Whole runs, from the command to the written file ...")
    runs = []
    for shape in sizes.SHAPES:
        runs.append(sizes.measure(shape))
        console.print(runs_table(runs[-1:]))
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M%S}.json"
    figures = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "waits": waits,
        "crowds": [crowd.figures() for crowd in crowds],
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


def crowd_table(crowds: list[load.Answers]) -> Table:
    """Return how long answers took while jobs ran, and what they cost."""
    table = Table("jobs at work", "answers a second", "p50, ms", "p95, ms", "goal", "CPU ms each")
    table.title, table.title_justify = f"Answers to {load.CLIENTS} clients", "left"
    for crowd in crowds:
        table.add_row(
            str(crowd.jobs), f"{crowd.count / crowd.seconds:.0f}",
            *(f"{crowd.percentile(percent):.0f}" for percent in (50, 95)),
            f"< {load.MOST_MILLISECONDS}", f"{crowd.cpu_milliseconds():.1f}",
        )  # fmt: skip
    return table


def steps_table(times: engine.StepTimes) -> Table:
    """Return each step of both stacks, how many times longer the reference takes, and the default draw's."""
    table = Table(
        "step", "published, s", "CPU s", "reference, s", "ratio", "default, s", "CPU s",
        title=f"{times.rows:,} x 15", title_justify="left",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for step, took in times.published.items():
        other, default = times.reference.get(step), times.default[step]
        table.add_row(
            step, *_two(took),
            "" if other is None else f"{other:.2f}", "" if other is None else f"{other / took.seconds:.1f}",
            *_two(default),
        )  # fmt: skip
    table.add_section()
    for name, steps in (("steps of both", engine.COMPARED), ("all steps", tuple(times.published))):
        published, default = (_sum([of[step] for step in steps]) for of in (times.published, times.default))
        both = name == "steps of both"
        table.add_row(
            name, *_two(published),
            f"{sum(times.reference.values()):.2f}" if both else "", f"{times.times_faster():.1f}" if both else "",
            *_two(default),
        )  # fmt: skip
    shares = [f"{engine.share_of_metrics(of):.0%}" for of in (times.published, times.default)]
    table.add_row("metrics, of the whole run (goal < 30%)", "", shares[0], "", "", "", shares[1])
    return table


def _two(took: engine.Took) -> tuple[str, str]:
    return f"{took.seconds:.2f}", f"{took.cpu_seconds:.2f}"


def _sum(steps: list[engine.Took]) -> engine.Took:
    return engine.Took(sum(took.seconds for took in steps), sum(took.cpu_seconds for took in steps))


def runs_table(runs: list[sizes.Taken]) -> Table:
    """Return seconds and memory of each run beside what it may take."""
    table = Table(
        "table", "seconds", "goal", "CPU s", "GB", "goal", title="avatars run --assess none", title_justify="left"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for run in runs:
        goals = ["" if goal is None else f"< {goal:g}" for goal in (run.most_seconds, run.most_gigabytes)]
        seconds = f"{run.seconds:.1f}" if run.finished else f"stopped after {run.seconds:.0f}"
        table.add_row(run.name, seconds, goals[0], f"{run.cpu_seconds:.1f}", f"{run.gigabytes:.1f}", goals[1])
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
