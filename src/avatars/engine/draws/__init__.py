"""Draws: one avatar for each row from its local model, behind one signature.

A draw takes a block of rows and gives their avatars' features. What it sees of the table is ``features`` (all
rows), and for the block the indices and distances of the k nearest others and a generator of random numbers of its own.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from avatars.engine.draws.published import Published
from avatars.engine.features import Codes, Features, Floats
from avatars.engine.neighbors import Indices
from avatars.engine.parameters import Parameters

__all__ = ["Draw", "make_draw"]


class Draw(Protocol):
    """Draws the avatars of a block of rows."""

    def __call__(
        self, features: Features, neighbors: Indices, distances: Floats, random: np.random.Generator
    ) -> tuple[Floats, Codes]:
        """Return (b, q) numbers and (b, c) codes for (b, k) ``neighbors`` at ``distances``."""
        ...


def make_draw(parameters: Parameters) -> Draw:
    """Return the draw that the parameters name."""
    return Published(parameters.modalities)
