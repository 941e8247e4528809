"""The live table: what it shows, where, and when it does not appear."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from avatars import _bar
from avatars._bar import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes the error stream a terminal; called within the test, because pytest sets its own before that."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(_bar, "QUICK", 0.0)
    monkeypatch.setattr(_bar, "BLINK", 0.0)

    def make() -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    return make


def last_rows(screen: Terminal, number: int) -> list[str]:
    """What stands on the terminal in the end, without its colours."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    return [row for row in text.splitlines() if row.strip()][-number:]


def test_each_step_has_a_row_and_pieces_of_work_share_one_table(terminal: Callable[[], Terminal]) -> None:
    screen = terminal()
    with progress_bar("pipeline") as pipeline:
        with progress_bar("upload") as upload:
            upload("upload", 0.5)
        pipeline("pipeline", 0.4)
        with progress_bar("waiting") as job:
            job("projecting", 0.2)
            job("neighbours", 0.6)
    rows = last_rows(screen, 5)
    assert [row.split()[0] for row in rows] == ["pipeline", "upload", "waiting", "projecting", "neighbours"]
    assert all("done" in row and "100%" in row and "0:00:00" in row for row in rows)


def test_the_step_at_hand_shows_how_much_is_left(
    terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal()
    monkeypatch.setattr(_bar, "REDRAW", 0.01)
    with progress_bar("first") as steps:
        steps("halfway", 0.5)
        time.sleep(1.1)
        steps("halfway", 0.5)
        time.sleep(0.1)
    assert "50%" in screen.getvalue()
    assert "0:00:01 left" in screen.getvalue()


@pytest.mark.parametrize(("error", "word"), [(ValueError("x"), "failed"), (KeyboardInterrupt(), "interrupted")])
def test_what_raises_leaves_its_step_in_red(terminal: Callable[[], Terminal], error: BaseException, word: str) -> None:
    screen = terminal()

    def work() -> None:
        with progress_bar("first") as steps:
            steps("[second]", 0.5)
            raise error

    with pytest.raises(type(error)):
        work()
    assert "\x1b[1;31m[second]" in screen.getvalue()
    assert word in screen.getvalue()


def test_what_is_over_quickly_shows_nothing_but_its_failure(
    terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal()
    monkeypatch.setattr(_bar, "QUICK", 60.0)
    with progress_bar("upload") as steps:
        steps("upload", 0.5)
    assert screen.getvalue() == ""
    with pytest.raises(ValueError, match="x"), progress_bar("upload"):
        raise ValueError("x")
    assert "failed" in screen.getvalue()


def test_it_is_silent_where_nobody_watches(capfd: pytest.CaptureFixture[str], terminal: Callable[[], Terminal]) -> None:
    with progress_bar("upload") as steps:
        steps("upload", 0.5)
    screen = terminal()
    with progress_bar("upload", shown=False) as steps:
        steps("upload", 0.5)
        steps.fail()
    assert screen.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_a_notebook_has_one_output_that_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython itself is not among our requirements: this is what of it is called."""
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            shown.append(data)

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert not shown
        shown.append(data)
        return Handle()

    class Shell:
        kernel = object()

    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = Shell
    ipython_display: Any = ModuleType("IPython.display")
    ipython_display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython_display)
    monkeypatch.setattr(_bar, "QUICK", 0.0)
    monkeypatch.setattr(_bar, "REDRAW", 0.0)
    with progress_bar("upload") as steps:
        steps("<upload>", 0.5)
    assert "50%" in shown[1]["text/plain"]
    assert "&lt;upload&gt;" in shown[-1]["text/html"]
    assert "done" in shown[-1]["text/plain"]
