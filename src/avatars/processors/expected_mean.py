"""Avatars whose numbers have the mean of the originals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from avatars.processors.columns import Numbers, names_of, numbers, require_columns

Groups = npt.NDArray[np.intp]
"""The number of each row's group."""


@dataclass(eq=False)
class ExpectedMeanProcessor:
    """Shifts numbers of the avatars so that their mean is the originals', in the whole table or in each group.

    ``preprocess`` takes the means (and standard deviations, with n - 1) of the frame that it is given, and changes
    nothing. ``postprocess`` turns an avatar's x into ``reference mean + (x - current mean)``; with ``same_std`` the
    difference is multiplied by ``reference sd / current sd``. What it returns in the targets are floats: rounding them
    to integers would move the mean again.

    A missing group label is a group of its own. Numbers stay as they are where nothing is known of them: in groups
    that the reference has not, or has without any number. Missing cells are left out of means and stay missing.

    Parameters
    ----------
    target_variables
        The numbers to shift.
    groupby_variables
        Columns whose combinations make the groups; by default all rows are one group.
    same_std
        Whether to bring the standard deviation to the reference's too. A group with one number, here or in the
        reference, has none: there only the mean is brought about. Where a group's avatars are all equal, so is the
        whole column's, with a UserWarning.

    Raises
    ------
    ValueError
        A column is not there, or a target is not of numbers; ``postprocess`` is called before ``preprocess``.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"ward": ["A", "A", "B"], "stay": [2, 4, 10]})
    >>> processor = ExpectedMeanProcessor(["stay"], groupby_variables=["ward"])
    >>> avatars = processor.preprocess(df).assign(stay=[3, 7, 8])
    >>> processor.postprocess(df, avatars)
      ward  stay
    0    A   1.0
    1    A   5.0
    2    B  10.0
    """

    target_variables: Sequence[str]
    _: KW_ONLY
    groupby_variables: Sequence[str] | None = None
    same_std: bool = False
    _labels: pd.DataFrame | None = field(default=None, init=False, repr=False)
    """The labels of the reference's groups, a row each."""
    _reference: dict[str, _Statistics] = field(default_factory=dict, init=False, repr=False)
    """The statistics of each target."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        self.target_variables = names_of(self.target_variables, "target_variables")
        if self.groupby_variables is not None:
            self.groupby_variables = names_of(self.groupby_variables, "groupby_variables")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Take the means, and return the frame as it is."""
        labels = self._read_labels(df)
        groups = _number_groups(labels)
        self._reference = {name: _statistics(numbers(df[name]), groups) for name in self.target_variables}
        self._labels = labels.iloc[np.unique(groups, return_index=True)[1]]
        return df.copy()

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with the targets shifted."""
        if self._labels is None:
            raise ValueError("ExpectedMeanProcessor brings about the means that preprocess takes: call that first.")
        # Groups are numbered as they appear: the reference's come first and so keep their numbers.
        groups = _number_groups(pd.concat([self._labels, self._read_labels(dest)]))[len(self._labels) :]
        dest = dest.copy()
        for name in self.target_variables:
            values = numbers(dest[name])
            current = _statistics(values, groups).of(groups)
            reference = self._reference[name].of(groups)
            deviation = values - current.mean
            if self.same_std:
                # Centred once more: what rounding has left of the mean would be scaled too.
                deviation = deviation - _statistics(deviation, groups).of(groups).mean
                deviation = deviation * _scale(reference.std, current.std, name)
            dest[name] = np.where(np.isnan(reference.mean), values, reference.mean + deviation)
        return dest

    def _read_labels(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Read each row's labels, missing ones as None whatever the dtype; without groups, the same for all rows."""
        require_columns(frame, self.target_variables, expected="Expected all target_variables in the dataframe")
        names = self.groupby_variables or []
        require_columns(frame, names, expected="Expected all groupby_variables in the dataframe")
        labels = [frame[name].astype(object).where(frame[name].notna(), None).to_numpy() for name in names]
        return pd.DataFrame(dict(enumerate(labels or [np.zeros(len(frame))])), dtype=object)


@dataclass(frozen=True, eq=False)
class _Statistics:
    """Means and standard deviations by the group's number, or by row; NaN where there is none."""

    mean: Numbers
    std: Numbers

    def of(self, groups: Groups) -> _Statistics:
        """Return those of each row's group; NaN for groups with a number that is beyond."""
        at = np.minimum(groups, len(self.mean))
        return _Statistics(np.append(self.mean, np.nan)[at], np.append(self.std, np.nan)[at])


def _statistics(values: Numbers, groups: Groups) -> _Statistics:
    by_group = pd.Series(values, dtype=np.float64).groupby(groups)
    # A constant does not deviate, whatever rounding makes of it.
    constant = by_group.max() == by_group.min()
    std = by_group.std().mask(constant & (by_group.count() > 1), 0.0)
    every = range(groups.max(initial=-1) + 1)
    return _Statistics(by_group.mean().reindex(every).to_numpy(), std.reindex(every).to_numpy())


def _number_groups(labels: pd.DataFrame) -> Groups:
    """Number the rows' groups from 0, in the order of their first rows."""
    numbers = labels.groupby(list(labels.columns), dropna=False, sort=False).ngroup()
    return numbers.to_numpy().astype(np.intp)


def _scale(reference: Numbers, current: Numbers, name: str) -> Numbers:
    """Return what each row's deviation is to be multiplied by; 1 where a standard deviation is missing."""
    if (current == 0).any():
        warnings.warn(
            f"Column {name!r} has groups with an std of 0 among the avatars: its means alone are brought about.",
            UserWarning,
            stacklevel=3,
        )
        return np.ones(len(current))
    scale = reference / current
    return np.where(np.isnan(scale), 1.0, scale)
