"""What runs in this process have in common: one bar, a word of advice, the choice of k."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from avatars._bar import Update
from avatars.engine.columns import Kind
from avatars.engine.errors import AvatarsWarning
from avatars.engine.parameters import Parameters, advice
from avatars.engine.progress import Progress, completion
from avatars.engine.workspace import IN_MEMORY, Workspace
from avatars.evaluation.attacks.attack import STEP as ATTACKING
from avatars.evaluation.auto_k import STEP as CHOOSING
from avatars.evaluation.auto_k import Choice, choose_k


def with_chosen_k(
    table: pa.Table,
    parameters: Parameters,
    *,
    auto_k: bool,
    types: Mapping[str, Kind] | None,
    to_categorical_threshold: int | None,
    progress: Progress,
    workspace: Workspace = IN_MEMORY,
) -> tuple[Parameters, Choice | None]:
    """Return the parameters with the smallest k that passes, and why, if that was asked for; else as they are."""
    if not auto_k:
        return parameters, None
    choice = choose_k(
        table,
        parameters,
        types=types,
        to_categorical_threshold=to_categorical_threshold,
        progress=progress,
        workspace=workspace,
    )
    return replace(parameters, k=choice.k), choice


def advise(parameters: Parameters, rows: int) -> None:
    """Warn of a k that is allowed but unwise."""
    if (said := advice(parameters, rows)) is not None:
        warnings.warn(said, AvatarsWarning, 4)


class BarProgress:
    """The engine's progress as one bar."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def report(self, step: str, done: float, total: float) -> None:
        """Move the bar; the choice of k and the attack have one of their own, before and after the run's."""
        self._update(step, done / total if step in (CHOOSING, ATTACKING) else completion(step, done, total))

    def should_stop(self) -> bool:
        """Never: Ctrl-C ends a run in this process."""
        return False
