"""One live table for everything that a person waits for: a row a step, how much is done, the time, what is left.

On a terminal it is drawn on the error stream, so that what a program prints can still be piped; in a notebook under
the cell. Elsewhere nothing is shown. What is over quickly is not worth a table: it appears after a moment.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from rich.table import Table

Update: TypeAlias = Callable[[str, float | None], None]
"""Shows a step's name and how much of the whole is done, 0 to 1; None leaves that as it is."""

QUICK = 0.3
"""Seconds after which the table appears; a failure is shown at once."""

BLINK = 0.05
"""Seconds that a step must last to keep its row when the next one comes."""

REDRAW = 0.25
"""Seconds between two drawings."""


@dataclass
class _Row:
    step: str
    started: float
    ended: float | None = None
    state: str = ""
    """What is said in place of a bar; empty while the step is at work."""


@dataclass
class Section:
    """The rows of one piece of work. Calling it is an `Update`."""

    _changed: Callable[[], None] = lambda: None
    _fraction: float | None = None
    _note: str = ""
    _rows: list[_Row] = field(default_factory=list)
    # The engine reports from many threads.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, step: str, done: float | None) -> None:
        """Go to a step, or on within it. The work is over where ``done`` is 1."""
        with self._lock:
            self._note = ""
            if done is not None:
                self._fraction = done
            if done is not None and done >= 1:
                self._end("done")
            elif not self._rows or self._rows[-1].step != step:
                if self._rows and time.monotonic() - self._rows[-1].started < BLINK:
                    self._rows.pop()
                self._end("done")
                self._rows.append(_Row(step, time.monotonic()))
        self._changed()

    def note(self, text: str) -> None:
        """Say something beside the step at hand, until it moves on."""
        self._note = text
        self._changed()

    def fail(self, state: str = "failed") -> None:
        """Leave the step at hand in red."""
        self._end(state)
        self._changed()

    def finish(self) -> None:
        """Say that nothing more comes."""
        self._end("done")
        self._changed()

    def _end(self, state: str) -> None:
        if self._rows and self._rows[-1].ended is None:
            self._rows[-1].ended = time.monotonic()
            self._rows[-1].state = state

    @property
    def has_failed(self) -> bool:
        """True where a row is red."""
        return any(row.state not in ("", "done") for row in self._rows)

    def render(self, table: Table) -> None:
        """Add the rows to a table."""
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        now = time.monotonic()
        for row in self._rows:
            elapsed = (row.ended or now) - row.started
            if row.ended is not None:
                style = "" if row.state == "done" else "bold red"
                percent = "100%" if row.state == "done" else ""
                table.add_row(row.step, Text(row.state), percent, _clock(elapsed), "", style=style)
                continue
            bar = ProgressBar(total=1.0 if self._fraction is not None else None, completed=self._fraction or 0.0)
            table.add_row(row.step, bar, *self._figures(elapsed, now), style="bold")

    def _figures(self, elapsed: float, now: float) -> tuple[str, str, str]:
        percent, rest = "", self._note
        if self._fraction:
            percent = f"{self._fraction:.0%}"
            left = (now - self._rows[0].started) * (1 - self._fraction) / self._fraction
            rest = rest or f"{_clock(left)} left"
        return percent, _clock(elapsed), rest


class _Screen(Protocol):
    def draw(self) -> None: ...

    def close(self) -> None: ...


class _LiveTable:
    """The table of the outermost piece of work; those within it add their rows to it."""

    def __init__(self, screen: Callable[[Callable[[], Table]], _Screen]) -> None:
        self._new_screen = screen
        self._screen: _Screen | None = None
        self._sections: list[Section] = []
        self._started = time.monotonic()
        self._drawn = 0.0
        self._lock = threading.Lock()

    def section(self) -> Section:
        section = Section(self._changed)
        self._sections.append(section)
        return section

    def close(self) -> None:
        with self._lock:
            if self._screen is not None:
                self._screen.draw()
                self._screen.close()

    def _changed(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._screen is None:
                if now - self._started < QUICK and not any(section.has_failed for section in self._sections):
                    return
                self._screen = self._new_screen(self._render)
            elif now - self._drawn < REDRAW:
                return
            self._drawn = now
            self._screen.draw()

    def _render(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=12)
        table.add_column(width=24)
        table.add_column(width=4, justify="right")
        table.add_column(width=7, justify="right")
        table.add_column()
        for section in self._sections:
            section.render(table)
        return table


class _Terminal:
    """Draws by itself, four times a second."""

    def __init__(self, render: Callable[[], Table]) -> None:
        from rich.console import Console
        from rich.live import Live

        # Names of steps come from the platform: they are no markup.
        console = Console(stderr=True, markup=False, highlight=False)
        self._live = Live(get_renderable=render, console=console, refresh_per_second=1 / REDRAW)
        self._live.start()

    def draw(self) -> None:
        pass

    def close(self) -> None:
        self._live.stop()


class _Notebook:
    """One output under the cell, drawn anew; rich's own way needs ipywidgets."""

    def __init__(self, render: Callable[[], Table]) -> None:
        self._render = render
        self._handle: Any = None

    def draw(self) -> None:
        from rich.console import Console

        # Without the last, rich displays what it prints by itself, whatever its file is.
        console = Console(
            record=True, file=io.StringIO(), width=100, markup=False, highlight=False, force_jupyter=False
        )
        console.print(self._render())
        text = console.export_text(clear=False)
        page = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
        data = {"text/html": page, "text/plain": text}
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def close(self) -> None:
        pass


_current: ContextVar[_LiveTable | None] = ContextVar("avatars_live_table", default=None)


@contextmanager
def progress_bar(first: str, *, shown: bool = True) -> Iterator[Section]:
    """Show a table while the body runs, with ``first`` as its first step; within another one, add to that.

    The step at hand turns red where the body raises.
    """
    screen = _screen() if shown else None
    if screen is None:
        yield Section()
        return
    outer = _current.get()
    table = outer or _LiveTable(screen)
    token = _current.set(table)
    section = table.section()
    section(first, None)
    try:
        yield section
    except BaseException as error:
        section.fail("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    else:
        section.finish()
    finally:
        _current.reset(token)
        if outer is None:
            table.close()


def _screen() -> Callable[[Callable[[], Table]], _Screen] | None:
    """What can be drawn on; None where nobody is watching."""
    # IPython, where there is one, has loaded its display machinery before any cell runs.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        return _Notebook
    if sys.stderr is not None and sys.stderr.isatty():
        return _Terminal
    return None


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
