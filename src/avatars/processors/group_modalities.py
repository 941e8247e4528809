"""Rare modalities, put together as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import pandas as pd

from avatars.processors.columns import is_whole, require_columns


@dataclass(eq=False)
class GroupModalitiesProcessor:
    """Replaces the rare modalities of categorical columns by one, so that nobody stands out by theirs.

    A modality with as many rows as the threshold, or fewer, is rare. This cannot be undone: ``postprocess`` returns
    the avatars as they are. Missing cells stay missing. Categorical columns are those of text or of pandas'
    ``category``. A categorical column keeps its dtype, with the new category as the last; an order among categories
    is dropped where some were put together, and categories of numbers become text then.

    Give either ``variable_thresholds``, or both of ``min_unique`` and ``global_threshold``.

    Parameters
    ----------
    variable_thresholds
        The threshold of each column that is to be changed.
    min_unique
        Columns with so many modalities or more are changed. They are chosen by the first frame that is seen; later
        frames are treated alike.
    global_threshold
        Their threshold.
    new_category
        The modality that stands for the rare ones.

    Raises
    ------
    ValueError
        The parameters are not one of the two sets; a named column is not there, or not categorical.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"colour": ["red", "blue", "blue", "green"], "ward": ["A", "B", "A", "B"]})
    >>> processor = GroupModalitiesProcessor(min_unique=3, global_threshold=1)
    >>> processor.preprocess(df)
      colour ward
    0  other    A
    1   blue    B
    2   blue    A
    3  other    B
    """

    _: KW_ONLY
    variable_thresholds: Mapping[str, int] | None = None
    min_unique: int | None = None
    global_threshold: int | None = None
    new_category: str = "other"
    _thresholds: dict[Any, int] | None = field(default=None, init=False, repr=False)
    """The threshold of each column that is changed, once they are chosen."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        if (self.min_unique is None) != (self.global_threshold is None):
            raise ValueError("Expected both of (global_threshold, min_unique), got only one of them.")
        if (self.variable_thresholds is None) == (self.min_unique is None):
            given = "neither" if self.min_unique is None else "both"
            raise ValueError(f"Expected variable_thresholds or (threshold, min_unique), got {given}.")
        thresholds = [*(self.variable_thresholds or {}).values(), self.min_unique, self.global_threshold]
        if not all(threshold is None or is_whole(threshold) for threshold in thresholds):
            raise ValueError("Thresholds and min_unique must be whole numbers, 0 or more.")
        if self.variable_thresholds is not None:
            self._thresholds = dict(self.variable_thresholds)

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with rare modalities put together."""
        if self._thresholds is None:
            self._thresholds = self._choose(df)
        require_columns(df, self._thresholds, expected="Expected valid variables in variable_thresholds")
        df = df.copy()
        for name, threshold in self._thresholds.items():
            if not _is_categorical(df[name]):
                raise ValueError(
                    f"Column {name!r} ({df[name].dtype}) is not categorical: use astype('category') before."
                )
            df[name] = self._grouped(df[name], threshold)
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars as they are."""
        return dest.copy()

    def _choose(self, df: pd.DataFrame) -> dict[Any, int]:
        assert self.min_unique is not None
        assert self.global_threshold is not None
        many = [name for name, cells in df.items() if _is_categorical(cells) and cells.nunique() >= self.min_unique]
        return dict.fromkeys(many, self.global_threshold)

    def _grouped(self, cells: pd.Series[Any], threshold: int) -> Any:
        counts = cells.value_counts()
        rare = cells.isin(counts.index[counts <= threshold])
        if not rare.any():
            return cells.array
        if not isinstance(cells.dtype, pd.CategoricalDtype):
            return _as_text(cells).mask(rare, self.new_category).array
        kept = [str(category) for category in cells.cat.categories if counts.loc[category] > threshold]
        values = _as_text(cells.astype(object)).mask(rare, self.new_category)
        return pd.Categorical(values, categories=list(dict.fromkeys([*kept, self.new_category])))


def _is_categorical(cells: pd.Series[Any]) -> bool:
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    return kind in {"categorical", "string", "mixed", "mixed-integer", "empty"}


def _as_text(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Make values text that are none yet: they are to share a column with ``new_category``."""
    return cells if pd.api.types.infer_dtype(cells, skipna=True) == "string" else cells.map(str, na_action="ignore")
