"""Loops that numpy has no word for, compiled by numba when they are first needed: only large tables need them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def compiled(function: Callable[..., Any]) -> Any:
    """Return the function compiled; it must release no object and hold none, for other threads run meanwhile."""
    # Imported here: a small table should not wait for the compiler.
    from numba import njit

    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # No folder that the compiled code could be kept in: it is compiled anew in each process.
        return njit(nogil=True)(function)


@functools.cache
def part_of_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function for use in others that are compiled: with them, and kept with them."""
    from numba.extending import register_jitable

    part: Callable[..., Any] = register_jitable(function)
    return part
