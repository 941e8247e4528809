"""How far avatars may go from their originals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from avatars.processors.columns import is_numeric, numbers, require_columns, require_pairs, to_integers


@dataclass(eq=False)
class PerturbationProcessor:
    """Draws avatars back towards their originals, column by column.

    A number becomes ``original + (avatar - original) * level``; of anything else the avatar's cell is taken with
    probability ``level``, else the original's, row by row. What is drawn back protects less: level 0 publishes the
    original column. Judge the result with the privacy metrics.

    Put it first in the list: then it comes last on the way back, when avatars are in the originals' terms again.
    Integers of the source stay integers, rounded; other numbers become floats. A number that is missing on either
    side is missing.

    Parameters
    ----------
    perturbation_level
        A level from 0 (the original) to 1 (the avatar, as it is) by column; columns that are not named are left as
        they are.
    seed
        Repeats the draws, at each call.

    Raises
    ------
    ValueError
        A level is not from 0 to 1; a column is not there; the rows of the avatars are not those of the source, in
        their order; a column is of numbers on one side only.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"weight": [60.0, 80.0]})
    >>> processor = PerturbationProcessor({"weight": 0.3})
    >>> processor.postprocess(df, pd.DataFrame({"weight": [70.0, 70.0]}))
       weight
    0    63.0
    1    77.0
    """

    perturbation_level: Mapping[str, float] | None = None
    _: KW_ONLY
    seed: int | None = None

    def __post_init__(self) -> None:
        """Refuse levels that cannot work."""
        self.perturbation_level = dict(self.perturbation_level or {})
        for name, level in self.perturbation_level.items():
            if not 0 <= level <= 1:
                raise ValueError(f"perturbation_level: the level of column {name!r} must be from 0 to 1.")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame as it is."""
        require_columns(df, self.perturbation_level or {}, expected="perturbation_level")
        return df.copy()

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars, drawn back towards the source."""
        levels = {name: level for name, level in (self.perturbation_level or {}).items() if level < 1}
        require_columns(source, levels, expected="perturbation_level")
        require_columns(dest, levels, expected="perturbation_level")
        dest = dest.copy()
        if not levels:
            return dest
        require_pairs(source, dest)
        generator = np.random.default_rng(self.seed)
        for name, level in levels.items():
            before, after = source[name], dest[name]
            if level == 0:
                dest[name] = before.array
            elif is_numeric(before) and is_numeric(after):
                original, avatar = numbers(source[name]), numbers(dest[name])
                dest[name] = to_integers(original + (avatar - original) * level, before.dtype)
            elif is_numeric(before) or is_numeric(after):
                raise ValueError(
                    f"Column {name!r} is of numbers either in the source or in the avatars: put the "
                    "PerturbationProcessor first in the list of processors."
                )
            else:
                dest[name] = _mixed(before, after, generator.random(len(dest)) >= 1 - level)
        return dest


def _mixed(before: pd.Series[Any], after: pd.Series[Any], is_avatar: npt.NDArray[np.bool_]) -> Any:
    """Take the avatar's cell where told, else the original's, in a dtype that holds both."""
    before, after = before.reset_index(drop=True), after.reset_index(drop=True)
    if before.dtype == after.dtype:
        return after.where(is_avatar, before).array
    mixed = after.astype(object).where(is_avatar, before.astype(object))
    if isinstance(before.dtype, pd.CategoricalDtype):
        more = [value for value in mixed.dropna().unique() if value not in before.cat.categories]
        return pd.Categorical(
            mixed, categories=before.cat.categories.append(pd.Index(more)), ordered=before.cat.ordered
        )
    return mixed.infer_objects().array
