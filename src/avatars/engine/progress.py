"""How the engine says how far it is, and hears that it should stop."""

from __future__ import annotations

from typing import Protocol

from avatars.engine.errors import Cancelled

# The steps of one table, in order, with their usual share of the whole (measured at 200,000 x 15 mixed rows).
STEPS: dict[str, float] = {
    "reading the file": 0.04,
    "reading the table": 0.04,
    "filling missing values": 0.07,
    "projecting": 0.10,
    "finding neighbours": 0.06,
    "drawing avatars": 0.42,
    "casting back": 0.03,
    "measuring privacy": 0.15,
    "measuring utility": 0.05,
    "writing the avatars": 0.04,
}


class Progress(Protocol):
    """Is told about each step; implementations must be quick and may be called from any thread."""

    def report(self, step: str, done: float, total: float) -> None:
        """Say that ``done`` of ``total`` (any unit) of ``step`` is done."""

    def should_stop(self) -> bool:
        """Return True to make the run raise ``Cancelled`` at its next report."""


class Silent:
    """The progress of those who do not want to know."""

    def report(self, step: str, done: float, total: float) -> None:
        """Say nothing."""

    def should_stop(self) -> bool:
        """Never stop."""
        return False


class Part:
    """A part of a step, from one share of it to another, told as if it were the whole."""

    def __init__(self, progress: Progress, start: float, end: float) -> None:
        self._progress, self._start, self._length = progress, start, end - start

    def report(self, step: str, done: float, total: float) -> None:
        """Say how far the part is, as a share of the whole step."""
        self._progress.report(step, self._start + self._length * (done / total if total else 1.0), 1.0)

    def should_stop(self) -> bool:
        """Stop when the whole should."""
        return self._progress.should_stop()


def advance(progress: Progress, step: str, done: float, total: float) -> None:
    """Report, and raise ``Cancelled`` where the run should stop: called at the end of every batch."""
    progress.report(step, done, total)
    if progress.should_stop():
        raise Cancelled("The run was cancelled.")


def completion(step: str, done: float, total: float) -> float:
    """Share of the whole run that is done, 0 to 1; never falls while the steps come in order."""
    names = list(STEPS)
    if step not in STEPS:
        return 0.0
    before = sum(STEPS[name] for name in names[: names.index(step)])
    return min(1.0, before + STEPS[step] * (done / total if total else 1.0))
