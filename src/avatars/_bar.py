"""One progress bar for everything that a person waits for: a step, a percentage, the time that has passed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Update: TypeAlias = Callable[[str, float | None], None]
"""Shows a step's name and how much of the whole is done, 0 to 1; None leaves the bar where it is."""


@contextmanager
def progress_bar(first: str, *, shown: bool = True) -> Iterator[Update]:
    """Show a bar while the body runs; nothing where the error stream is no terminal, or where it is not wanted.

    The bar goes to the error stream, so that what a program prints can still be piped.
    """
    if not (shown and sys.stderr is not None and sys.stderr.isatty()):
        yield lambda step, done: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    step_column = TextColumn("{task.description}", markup=False)
    columns = (step_column, BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(first, total=1.0)
        yield lambda step, done: bar.update(task, description=step, completed=done)
