"""Positions, avatarized so that they stay where somebody is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from avatars.processors.columns import Numbers, is_whole, numbers, require_columns

_EDGE = 1e-9
"""What a position within a bin may be off by rounding, in bins; a row of bins has fewer than a million."""


@dataclass(eq=False, kw_only=True)
class GeolocationNormalizationProcessor:
    """Closes the gaps between positions, so that no avatar lands in the sea or across the border.

    Latitudes are divided into bands, one around each of ``n_reference_lat`` latitudes from the lowest to the highest.
    In each band, the longitudes from the band's first to its last are divided into ``n_bins`` bins. ``preprocess``
    leaves out the bins without a position, moves the others together, and gives each position its place in them, from
    0 to 1, in the place of its longitude. ``postprocess`` turns a place into a longitude again, in the band of the
    avatar's latitude: it is always in a bin that had a position. A band with one longitude has it for all places.

    Latitudes are left as they are; longitudes come back as floats, exactly to a hundred-millionth of a bin. Bands are
    straight: where longitudes cross 180 degrees, shift them before. The idea is that of the platform's later clients;
    where bands and bins begin and end is ours.

    Parameters
    ----------
    latitude_variable
        The column of latitudes.
    longitude_variable
        The column of longitudes.
    n_reference_lat
        How many bands; more follow a coast more closely.
    n_bins
        How many bins in a band; more leave out smaller gaps, and tell more about where somebody was.

    Raises
    ------
    ValueError
        A column is not there, not of numbers, or has missing cells; ``postprocess`` is called before ``preprocess``.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"lat": [49.1, 49.2, 49.3, 49.3], "lon": [3.21, 3.19, 3.11, 3.18]})
    >>> processor = GeolocationNormalizationProcessor(
    ...     latitude_variable="lat", longitude_variable="lon", n_reference_lat=3, n_bins=5
    ... )
    >>> places = processor.preprocess(df)
    >>> places
        lat  lon
    0  49.1  0.5
    1  49.2  0.5
    2  49.3  0.0
    3  49.3  1.0
    >>> processor.postprocess(df, places.assign(lon=[0.1, 0.9, 0.25, 0.75])).round(3)
        lat    lon
    0  49.1  3.210
    1  49.2  3.190
    2  49.3  3.117
    3  49.3  3.173
    """

    latitude_variable: str
    longitude_variable: str
    n_reference_lat: int
    n_bins: int
    _references: Numbers | None = field(default=None, init=False, repr=False)
    """The latitudes whose bands have positions, from south to north."""
    _bands: list[_Band] = field(default_factory=list, init=False, repr=False)
    """Their bands."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        if not (is_whole(self.n_reference_lat) and self.n_reference_lat >= 1):
            raise ValueError("n_reference_lat must be a whole number, 1 or more.")
        if not (is_whole(self.n_bins) and 1 <= self.n_bins <= 1_000_000):
            raise ValueError("n_bins must be a whole number from 1 to 1,000,000.")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with places from 0 to 1 as longitudes."""
        latitudes, longitudes = self._read(df)
        references = np.linspace(latitudes.min(), latitudes.max(), self.n_reference_lat)
        nearest = _nearest(latitudes, references)
        self._references = references[np.unique(nearest)]
        self._bands = []
        places = np.empty(len(df))
        for rows in pd.Series(latitudes).groupby(nearest).indices.values():
            band, places[rows] = _divide(longitudes[rows], self.n_bins)
            self._bands.append(band)
        df = df.copy()
        df[self.longitude_variable] = places
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with longitudes in the place of places."""
        if self._references is None:
            raise ValueError("GeolocationNormalizationProcessor undoes what preprocess does: call that first.")
        latitudes, places = self._read(dest)
        nearest = _nearest(latitudes, self._references)
        longitudes = np.empty(len(dest))
        for number, band in enumerate(self._bands):
            longitudes[nearest == number] = band.longitudes(places[nearest == number])
        dest = dest.copy()
        dest[self.longitude_variable] = longitudes
        return dest

    def _read(self, frame: pd.DataFrame) -> tuple[Numbers, Numbers]:
        names = [self.latitude_variable, self.longitude_variable]
        require_columns(frame, names, expected="Expected valid latitude and longitude variables")
        if frame.empty:
            raise ValueError("The frame has no rows: there are no positions to divide into bands.")
        for name in names:
            if frame[name].isna().any():
                raise ValueError(f"Expected no missing values in column {name!r}, got some: leave those rows out.")
        return numbers(frame[names[0]]).astype(np.float64), numbers(frame[names[1]]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Band:
    """The bins of a band that have positions, by where they begin; one of width 0 where there is one longitude."""

    starts: Numbers
    width: float

    def longitudes(self, places: Numbers) -> Numbers:
        """Return the longitude at each place from 0 to 1."""
        at = np.clip(places, 0, 1) * len(self.starts)
        # Rounding must not carry what begins a bin into the bin before it, on the other side of a gap.
        at = np.where(np.abs(at - np.rint(at)) <= _EDGE, np.rint(at), at)
        number = np.minimum(at.astype(np.intp), len(self.starts) - 1)
        return self.starts[number] + (at - number) * self.width


def _divide(longitudes: Numbers, n_bins: int) -> tuple[_Band, Numbers]:
    """Divide a band into bins; return those with positions, and the places of the longitudes in them."""
    first, last = longitudes.min(), longitudes.max()
    width = (last - first) / n_bins
    if width == 0:
        return _Band(np.array([first]), 0.0), np.full(len(longitudes), 0.5)
    at = (longitudes - first) / width
    number = np.minimum(at.astype(np.intp), n_bins - 1)
    kept, rank = np.unique(number, return_inverse=True)
    within = np.where(number == n_bins - 1, at - number, np.minimum(at - number, 1 - 3 * _EDGE))
    return _Band(first + kept * width, width), (rank + np.minimum(within, 1)) / len(kept)


def _nearest(latitudes: Numbers, references: Numbers) -> npt.NDArray[np.intp]:
    """Find each latitude's nearest reference; between two, the southern one."""
    return np.searchsorted((references[1:] + references[:-1]) / 2, latitudes)
