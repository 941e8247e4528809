"""Draws: one avatar for each record from its local model, behind one signature."""

from __future__ import annotations

from typing import Protocol

from avatars.engine.columns import Encoded
from avatars.engine.draws import local, published
from avatars.engine.draws.records import Records
from avatars.engine.parameters import Method, Parameters
from avatars.engine.progress import Progress
from avatars.engine.workspace import Workspace

__all__ = ["Records", "draw"]


class Draw(Protocol):
    """Draws the avatars of all records."""

    def __call__(self, records: Records, parameters: Parameters, progress: Progress, workspace: Workspace) -> Encoded:
        """Return them as numbers and codes, cells missing where they are drawn so; row i is that of record i."""
        ...


_LAWS: dict[Method, Draw] = {"local": local.draw, "avatar": published.draw}


def draw(records: Records, parameters: Parameters, progress: Progress, workspace: Workspace) -> Encoded:
    """Return the avatars, by the draw that the parameters name; SENSITIVE: row i is that of record i."""
    return _LAWS[parameters.method](records, parameters, progress, workspace)
