"""Numbers with few values, avatarized as categories."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from avatars.processors.columns import (
    Numbers,
    is_numeric,
    is_whole,
    numbers,
    refuse_columns,
    require_columns,
    to_integers,
)


@dataclass(eq=False)
class ToCategoricalProcessor:
    """Makes numbers with few distinct values categories, so that avatars have only values that the originals have.

    Columns of numbers with ``to_categorical_threshold`` distinct values or fewer, missing ones not counted, become
    pandas categories of the same numbers; ``postprocess`` makes them numbers of their first dtype again. Integers with
    a missing cell that their dtype has no place for become floats.

    With a `GroupModalitiesProcessor` after this one, rare numbers come back as ``category``; with ``keep_continuous``
    they are replaced by the avatar's own number, otherwise they are missing.

    Parameters
    ----------
    to_categorical_threshold
        How many distinct values make a column categorical at most.
    keep_continuous
        Whether to avatarize the numbers beside the categories too.
    continuous_suffix
        What is added to a column's name for its numbers.
    category
        The modality that stands for a number of the numbers' column.

    Raises
    ------
    ValueError
        A new column is there already; ``postprocess`` is called before ``preprocess``; what comes back is neither a
        number nor ``category``.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"children": [0, 2, 0, 2], "age": [31, 44, 28, 50]})
    >>> processor = ToCategoricalProcessor(to_categorical_threshold=3)
    >>> categories = processor.preprocess(df)
    >>> categories["children"].dtype.name
    'category'
    >>> processor.postprocess(df, categories)["children"].tolist()
    [0, 2, 0, 2]
    """

    to_categorical_threshold: int
    _: KW_ONLY
    keep_continuous: bool = False
    continuous_suffix: str = "__cont"
    category: str = "other"
    _dtypes: dict[Any, Any] | None = field(default=None, init=False, repr=False)
    """The dtypes of the columns that ``preprocess`` made categorical."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        if not is_whole(self.to_categorical_threshold):
            raise ValueError("to_categorical_threshold must be a whole number, 0 or more.")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with categories in the place of numbers that have few values."""
        few = [cells.name for _, cells in df.items() if self._is_few(cells)]
        require_columns(df, few, expected="Expected names that are there once")
        continuous = [self._continuous(name) for name in few] if self.keep_continuous else []
        refuse_columns(df, continuous)
        self._dtypes = {name: df[name].dtype for name in few}
        values = {name: numbers(df[name]) for name in few}
        df = df.copy()
        for name in few:
            df[name] = pd.Categorical(values[name])
        return df.assign(**dict(zip(continuous, values.values(), strict=False)))

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with numbers in the place of the categories."""
        if self._dtypes is None:
            raise ValueError("ToCategoricalProcessor undoes what preprocess does: call that first.")
        continuous = [self._continuous(name) for name in self._dtypes] if self.keep_continuous else []
        require_columns(dest, [*self._dtypes, *continuous], expected="Expected the columns that preprocess made")
        dest = dest.copy()
        for name, dtype in self._dtypes.items():
            values = to_integers(self._read(dest, name), dtype)
            is_float = pd.api.types.is_float_dtype(dtype)
            dest[name] = pd.array(values, dtype=dtype) if is_float else values
        return dest.drop(columns=continuous)

    def _is_few(self, cells: pd.Series[Any]) -> bool:
        return is_numeric(cells) and 0 < cells.nunique() <= self.to_categorical_threshold

    def _continuous(self, name: Any) -> str:
        return f"{name}{self.continuous_suffix}"

    def _read(self, dest: pd.DataFrame, name: Any) -> Numbers:
        """Read a column's categories as numbers, those of ``category`` from the column beside it."""
        cells = dest[name].astype(object)
        is_other = cells.isin([self.category])
        try:
            values = numbers(pd.to_numeric(cells.mask(is_other)))
        except (ValueError, TypeError):
            # Without its cause: pandas' message repeats the cell.
            raise ValueError(
                f"Column {name!r} has categories that are neither numbers nor {self.category!r}."
            ) from None
        if self.keep_continuous:
            return np.where(is_other, numbers(dest[self._continuous(name)]), values)
        return values
