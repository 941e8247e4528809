"""Rounding the parts of a whole so that they still add up to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Parts = npt.NDArray[np.float64]


def round_parts(parts: Parts, decimals: int) -> Parts:
    """Round each row's parts to ``decimals``, so that their sum is the row's sum, rounded.

    The method of the largest remainders (Hamilton): all are rounded down, and what is left of the sum goes, one
    unit each, to the parts that lost most; of equal losses, to the first. Missing parts stay missing. No part moves
    by a unit or more.

    Parameters
    ----------
    parts
        Numbers, shape (rows, parts).
    """
    units = np.where(np.isnan(parts), 0.0, parts) * 10.0**decimals
    # What is a rounding error below a whole number of units must not lose that unit.
    nearest = np.rint(units)
    down = np.where(np.abs(units - nearest) <= 1e-9 * np.maximum(np.abs(units), 1.0), nearest, np.floor(units))
    lost = np.where(np.isnan(parts), -np.inf, units - down)
    left = np.rint(units.sum(axis=1)) - down.sum(axis=1)
    rank = np.argsort(np.argsort(-lost, axis=1, kind="stable"), axis=1)
    rounded = (down + (rank < left[:, None])) / 10.0**decimals
    return np.where(np.isnan(parts), np.nan, rounded)
