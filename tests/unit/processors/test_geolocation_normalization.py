"""Positions without the gaps between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.processors.geolocation_normalization import GeolocationNormalizationProcessor


def make(references: int = 4, bins: int = 10) -> GeolocationNormalizationProcessor:
    return GeolocationNormalizationProcessor(
        latitude_variable="latitude", longitude_variable="longitude", n_reference_lat=references, n_bins=bins
    )


def two_shores() -> pd.DataFrame:
    """Positions on both sides of a strait from 2 to 8 degrees, on an index with labels that are there twice."""
    random = np.random.default_rng(0)
    west, east = random.uniform(0, 2, 50), random.uniform(8, 10, 50)
    latitude = random.uniform(50, 51, 100)
    return pd.DataFrame({"latitude": latitude, "longitude": [*west, *east]}, index=np.arange(100) // 2)


def test_places_are_from_0_to_1_and_latitudes_stay() -> None:
    df = two_shores()
    places = make().preprocess(df)
    assert places["latitude"].equals(df["latitude"])
    assert places["longitude"].between(0, 1).all()
    assert places["longitude"].max() == 1
    # The strait is left out: half of the people live on each side, and half of the places are there.
    assert places["longitude"].iloc[:50].max() <= 0.5 < places["longitude"].iloc[50:].min() + 1e-9


def test_no_place_is_in_the_sea() -> None:
    df = two_shores()
    processor = make(bins=50)
    processor.preprocess(df)
    random = np.random.default_rng(1)
    dest = pd.DataFrame({"latitude": random.uniform(49, 52, 500), "longitude": random.uniform(-0.5, 1.5, 500)})
    longitudes = processor.postprocess(df, dest)["longitude"]
    assert longitudes.between(df["longitude"].min(), df["longitude"].max()).all()
    assert ((longitudes < 2.2) | (longitudes > 7.8)).all()


def test_other_names_than_those_of_the_parameters_are_left_alone() -> None:
    df = two_shores().assign(lat=1.0, lon=2.0)
    places = make().preprocess(df)
    assert places[["lat", "lon"]].equals(df[["lat", "lon"]])
    assert not places["longitude"].equals(df["longitude"])


def test_a_band_with_one_longitude_has_it_for_all_places() -> None:
    df = pd.DataFrame({"latitude": [50.0, 50.0, 60.0], "longitude": [3.3, 3.3, 7.7]})
    processor = make(references=2)
    assert processor.preprocess(df)["longitude"].tolist() == [0.5, 0.5, 0.5]
    dest = pd.DataFrame({"latitude": [49.0, 54.9, 55.1], "longitude": [0.0, 1.0, 0.9]})
    assert processor.postprocess(df, dest)["longitude"].tolist() == [3.3, 3.3, 7.7]


def test_avatars_between_bands_with_positions_go_to_the_nearest_of_them() -> None:
    df = pd.DataFrame({"latitude": [0.0, 10.0], "longitude": [1.0, 2.0]})
    processor = make(references=11)
    processor.preprocess(df)
    dest = pd.DataFrame({"latitude": [4.0, 6.0], "longitude": [0.5, 0.5]})
    assert processor.postprocess(df, dest)["longitude"].tolist() == [1.0, 2.0]


POSITIONS = st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=30)


@settings(deadline=None)
@given(positions=POSITIONS, references=st.integers(1, 50), bins=st.integers(1, 2000))
def test_places_lead_back_to_where_they_were(positions: list[Any], references: int, bins: int) -> None:
    df = pd.DataFrame(positions, columns=["latitude", "longitude"])
    processor = make(references, bins)
    places = processor.preprocess(df)
    assert places["longitude"].between(0, 1).all()
    back = processor.postprocess(df, places)
    pd.testing.assert_frame_equal(back, df, check_exact=False, rtol=0, atol=1e-6)


@settings(deadline=None)
@given(steps=st.lists(st.integers(0, 49), min_size=2, unique=True))
def test_what_begins_a_bin_is_not_carried_over_the_gap_before_it(steps: list[int]) -> None:
    # Longitudes that begin bins exactly, with gaps between: rounding decides on which side they come back.
    df = pd.DataFrame({"latitude": 0.0, "longitude": np.array([*steps, 50]) * 0.1})
    processor = make(1, 50)
    places = processor.preprocess(df)
    for nudge in (0.0, 1e-16, -1e-16):
        back = processor.postprocess(df, places.assign(longitude=places["longitude"] + nudge))
        np.testing.assert_allclose(back["longitude"], df["longitude"], atol=1e-7)


def test_what_cannot_work_is_refused() -> None:
    df = two_shores()
    with pytest.raises(ValueError, match="undoes what preprocess does: call that first"):
        make().postprocess(df, df)
    with pytest.raises(ValueError, match=r"Expected valid latitude and longitude variables: .*no column 'longitude'"):
        make().preprocess(df[["latitude"]])
    with pytest.raises(ValueError, match="Expected no missing values in column 'latitude'"):
        make().preprocess(df.assign(latitude=df["latitude"].where(df["latitude"] > df["latitude"].iloc[0])))
    with pytest.raises(ValueError, match="The frame has no rows"):
        make().preprocess(df.iloc[:0])
    wrongs: list[dict[str, Any]] = [{"references": 0}, {"bins": 0}, {"bins": 10**7}, {"bins": 2.5}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="must be a whole number"):
            make(**wrong)
