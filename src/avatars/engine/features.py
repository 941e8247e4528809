"""What the method sees of a table: complete numbers and complete modalities, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Features:
    """Rows as the method sees them.

    Attributes
    ----------
    numeric
        (n, q) float64, C order. NaN only where a caller says that it is allowed.
    codes
        (n, c) int32, C order: level of each categorical feature; -1 only where a caller says that it is allowed.
    sizes
        Levels of each categorical feature, c of them; levels that no row has are allowed.
    names
        Labels, the q numeric ones first, then the c categorical ones.
    """

    numeric: Floats
    codes: Codes
    sizes: tuple[int, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numeric)

    @property
    def dimensions(self) -> int:
        """Numeric features plus levels of the categorical ones (T in the docs)."""
        return int(self.numeric.shape[1]) + sum(self.sizes)

    def take(self, rows: slice | NDArray[np.intp]) -> Features:
        """Return some of the rows."""
        return Features(self.numeric[rows], self.codes[rows], self.sizes, self.names)
