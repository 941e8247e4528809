"""The tutorial's quickstart, end to end, against a platform of its own: `make demo`.

Starts a platform on a free port with a data folder that lives as long as the demo, makes its first user,
sends fixtures/iris.csv, waits for its avatars, prints the metrics beside their targets, and leaves
demo/avatars.csv and demo/avatars.png behind. Everything else is stopped and removed, whatever happens.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from avatars.errors import AvatarsError

HERE = Path(__file__).resolve().parent
IRIS = HERE.parent / "fixtures" / "iris.csv"
AVATARS_CSV, AVATARS_PNG = HERE / "avatars.csv", HERE / "avatars.png"

READY = "open-avatars is ready at "
START_SECONDS = 60
STOP_SECONDS = 30
USERNAME = "username"

console = Console(highlight=False, soft_wrap=True)


class DemoFailed(Exception):
    """The demo cannot go on; the message says why."""


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="open-avatars-demo-") as folder:
        data_dir = Path(folder) / "data"
        password = secrets.token_urlsafe(16)
        console.print("Starting a platform")
        with platform(data_dir) as base_url:
            console.print(f"  it listens at {base_url}, its data is in {data_dir}")
            console.print("Making its first user")
            add_user(data_dir, password)
            quickstart(base_url, password)
    console.print(f"The platform is stopped and its data removed. {time.monotonic() - started:.1f} s in all.")


def quickstart(base_url: str, password: str) -> None:
    """Do what the tutorial's quickstart does, as any program would: over HTTP."""
    from avatars.client import ApiClient
    from avatars.models import AvatarizationJobCreate, AvatarizationParameters

    with ApiClient(base_url=base_url) as client:
        client.authenticate(username=USERNAME, password=password)

        console.print(f"Sending {IRIS.relative_to(HERE.parent)}")
        with IRIS.open() as file:
            dataset = client.datasets.create_dataset(file)

        console.print("Asking for avatars (k=20)")
        job = client.jobs.create_avatarization_job(
            AvatarizationJobCreate(parameters=AvatarizationParameters(k=20, dataset_id=dataset.id))
        )
        # Shows a progress bar on a terminal, and returns when the job is over.
        job = client.jobs.get_avatarization_job(job.id)
        assert job.result is not None

        show_metrics("Privacy: is the link between a person and their avatar hidden?", job.result.privacy_metrics)
        show_metrics("Utility: do the avatars keep the statistics?", job.result.signal_metrics)

        AVATARS_CSV.write_text(client.datasets.download_dataset(job.result.avatars_dataset.id))
    draw()
    for path in (AVATARS_CSV, AVATARS_PNG):
        console.print(f"Wrote {path.relative_to(HERE.parent)}")


def show_metrics(title: str, metrics: object) -> None:
    """Print each metric beside the target that the platform sends with it."""
    values = dict(metrics)  # type: ignore[call-overload]
    targets = dict(values.pop("targets"))
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("target", justify="right")
    for name, value in values.items():
        if isinstance(value, list):
            # Details and remarks are for the report.
            continue
        shown = "-" if value is None else f"{value:.3f}"
        table.add_row(name.replace("_", " "), shown, targets.get(name, ""))
    console.print(table)


def draw() -> None:
    """Draw originals and avatars in the first two components of the originals' projection."""
    from avatars.engine.columns import detect, encode
    from avatars.engine.files import read_table
    from avatars.engine.missing import fit
    from avatars.engine.parameters import Parameters
    from avatars.engine.progress import Silent
    from avatars.engine.run import fit_projection
    from avatars.report import projection_figure

    table, parameters, progress = read_table(IRIS).table, Parameters(k=20), Silent()
    columns = detect(table)
    encoded = encode(table, columns)
    imputer = fit(encoded, parameters.imputation, 0, progress)
    originals = imputer.fill(encoded, progress)
    avatars = imputer.fill(encode(read_table(AVATARS_CSV).table, columns), progress)
    space = fit_projection(originals, parameters, progress)
    figure = projection_figure(
        space.transform(originals, progress), space.transform(avatars, progress), space.explained_variance_ratio
    )
    figure.savefig(AVATARS_PNG)


def add_user(data_dir: Path, password: str) -> None:
    """Make the platform's first user, as an operator's script would."""
    done = subprocess.run(
        command("user", "add", USERNAME, "--password-stdin", "--data-dir", str(data_dir)),
        input=password,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"The first user could not be made: {done.stderr.strip()}")


@contextmanager
def platform(data_dir: Path) -> Iterator[str]:
    """Run a platform, give its address, and stop it at the end."""
    log = data_dir.parent / "log"
    with log.open("w") as errors:
        # A session of its own: Ctrl-C reaches this program alone, which then stops the platform in order.
        process = subprocess.Popen(
            command("serve", "--port", "0", "--data-dir", str(data_dir)),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line.startswith(READY):
            raise DemoFailed(f"The platform did not start:\n{log.read_text().strip()}")
        yield line.removeprefix(READY).strip()
    except AvatarsError as error:
        end = "\n".join(line[:300] for line in log.read_text().splitlines()[-10:])
        raise DemoFailed(f"{error.message}\nThe end of the platform's log:\n{end}") from error
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def command(*arguments: str) -> list[str]:
    """Return the `avatars` command of the environment that this program runs in."""
    return [sys.executable, "-m", "avatars", *arguments]


def environment() -> dict[str, str]:
    """Return the environment without anybody's own settings: the demo must not touch another platform."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AVATARS_")}


def stop_in_order(number: int, frame: FrameType | None) -> NoReturn:
    """Leave as by Ctrl-C, so that everything is stopped and removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop_in_order)
    try:
        main()
    except KeyboardInterrupt:
        console.print("Stopped; the platform too.")
        sys.exit(130)
    except DemoFailed as failure:
        console.print(str(failure), style="red", markup=False)
        sys.exit(1)
