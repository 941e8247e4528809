"""Frames to a real platform and their avatars back, every dtype kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from avatars.client import ApiClient
from avatars.models import AvatarizationJobCreate, AvatarizationParameters

if TYPE_CHECKING:
    from tests.conftest import Platform

ROWS = 60


@pytest.fixture
def client(platform: Platform) -> Iterator[ApiClient]:
    with ApiClient(platform.base_url) as client:
        client.authenticate(username="username", password="strong_password")
        yield client


def people() -> pd.DataFrame:
    """Sixty invented people, one column for each dtype that tables of people have."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, ROWS),
            "children": pd.array(rng.integers(0, 5, ROWS), dtype="Int64"),
            "small": rng.integers(0, 100, ROWS).astype("int8"),
            "weight": rng.normal(70, 10, ROWS).round(1),
            "share": rng.random(ROWS).astype("float32"),
            "smoker": rng.random(ROWS) < 0.3,
            "consent": pd.array(rng.random(ROWS) < 0.5, dtype="boolean"),
            "city": rng.choice(["Nantes", "Lyon", "Besançon"], ROWS),
            "text": pd.Series(rng.choice(["a", "b"], ROWS), dtype=object),
            "stage": pd.Categorical(rng.choice(["I", "II", "III"], ROWS), categories=["I", "II", "III"], ordered=True),
            "group": pd.Categorical(rng.integers(1, 4, ROWS)),
            "born": pd.date_range("1950-01-01", periods=ROWS, freq="D").as_unit("s"),
            "seen": pd.date_range("2024-01-01", periods=ROWS, freq="h", tz="Europe/Paris"),
            "visits": rng.integers(0, 1000, ROWS),
        }
    )


def avatars_of(client: ApiClient, frame: pd.DataFrame) -> pd.DataFrame:
    dataset = client.pandas_integration.upload_dataframe(frame)
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(k=5, dataset_id=dataset.id, seed=1))
    result = client.jobs.get_avatarization_job(client.jobs.create_avatarization_job(create).id).result
    assert result is not None
    return client.pandas_integration.download_dataframe(result.avatars_dataset.id)


def test_a_frame_comes_back_as_it_was(client: ApiClient) -> None:
    frame = people()
    dataset = client.pandas_integration.upload_dataframe(frame)
    assert dataset.nb_lines == ROWS
    assert_frame_equal(client.pandas_integration.download_dataframe(dataset.id), frame, check_freq=False)


def test_avatars_have_the_dtypes_of_the_originals(client: ApiClient) -> None:
    frame = people()
    avatars = avatars_of(client, frame)
    assert avatars.columns.tolist() == frame.columns.tolist()
    assert avatars.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()
    assert len(avatars) == ROWS
    assert not avatars.isna().any().any()
    assert avatars["stage"].cat.categories.tolist() == ["I", "II", "III"]
    assert avatars["stage"].cat.ordered


def test_missing_cells_stay_possible_where_they_were(client: ApiClient) -> None:
    frame = people()
    frame.loc[::4, "weight"] = np.nan
    frame.loc[::5, "children"] = pd.NA
    frame.loc[::6, "city"] = None
    avatars = avatars_of(client, frame)
    assert avatars.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()
    assert avatars.isna().any().to_dict() == frame.isna().any().to_dict()


def test_the_index_of_a_frame_does_not_reach_the_platform(client: ApiClient) -> None:
    frame = people().set_index(pd.Index([f"patient {i}" for i in range(ROWS)], name="name"))
    dataset = client.pandas_integration.upload_dataframe(frame)
    assert "patient" not in client.datasets.download_dataset(dataset.id)
    assert dataset.columns is not None
    assert "name" not in {column.label for column in dataset.columns}


def test_a_polars_frame_is_sent_and_its_avatars_come_back(client: ApiClient) -> None:
    frame = pl.DataFrame({"age": range(ROWS), "city": ["Nantes", "Lyon", "Besançon"] * (ROWS // 3)})
    frame = frame.with_columns(pl.col("city").cast(pl.Categorical).alias("kind"), (pl.col("age") / 8).alias("share"))
    dataset = client.pandas_integration.upload_dataframe(frame)
    sent = client.pandas_integration.download_dataframe(dataset.id)
    assert [column.type.value for column in dataset.columns or []] == ["int", "category", "category", "float"]
    assert sent["age"].tolist() == frame["age"].to_list()
    assert sent["city"].tolist() == frame["city"].to_list()
    avatars = avatars_of(client, frame)  # type: ignore[arg-type]
    assert avatars.shape == (ROWS, 4)
    assert set(avatars["kind"]) <= set(frame["kind"])
