"""Datasets: tables on the platform."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

from pydantic import Field

from avatars.models.base import Request, Response


class ColumnType(str, Enum):
    """How a column takes part in the method."""

    int = "int"
    bool = "bool"
    category = "category"
    float = "float"
    datetime = "datetime"


class FileType(str, Enum):
    """A file format of a dataset."""

    csv = "csv"
    parquet = "parquet"


class AnalysisStatus(str, Enum):
    """Where the analysis of a dataset stands."""

    started = "started"
    done = "done"


class ColumnDetail(Request):
    """A column's label and type."""

    type: ColumnType
    label: str


class PatchDataset(Request):
    """Declared column types; they override what was detected."""

    columns: list[ColumnDetail]


class ColumnStats(Response):
    """What the analysis of a dataset says of one column."""

    label: str
    dtype: str
    """The column's type, in the words of `ColumnType`."""
    missing_number: int = Field(ge=0)
    missing_proportion: float = Field(ge=0, le=1)
    unique_number: int = Field(ge=0)
    """Distinct values, missing cells not counted."""
    unique_proportion: float = Field(ge=0, le=1)
    """Distinct values per row."""
    mean: float | None = None
    """Numbers only, as the four below."""
    median: float | None = None
    standard_deviation: float | None = None
    mode: str | int | float | None = None
    """The most frequent value."""
    is_skewed: bool | None = None
    is_rare: bool | None = None
    """True where the column has modalities that few rows share."""


class DatasetSummary(Response):
    """What the analysis of a dataset found."""

    stats: list[ColumnStats]
    """One item a column, in the dataset's order."""
    probable_ids: list[str] = Field(default_factory=list)
    """Labels of columns that look as if they named people: leave them out of an avatarization."""


class Correlations(Response):
    """Pearson correlations of the numeric columns, rows with both cells."""

    data: dict[str, dict[str, float | None]]
    """By label and label, as ``pandas.DataFrame`` takes it; null where one of the two is constant."""


class Dataset(Response):
    """A table on the platform, described; its rows are behind ``download_url``."""

    id: UUID
    hash: str
    """SHA-256 of the bytes that were uploaded, or of the file that a job wrote."""
    name: str | None = None
    columns: list[ColumnDetail] | None = None
    download_url: str
    """Absolute address of the table as CSV."""
    analysis_status: AnalysisStatus | None = None
    analysis_duration: float | None = None
    """Seconds."""
    nb_lines: int | None = None
    """Rows, the header not counted."""
    summary: DatasetSummary | None = None
    """There once the dataset has been analysed."""
    nb_dimensions: int = 0
    """Numeric columns plus modalities of the categorical ones."""
    filetype: FileType = FileType.csv
    """The format that was uploaded."""
    created_at: datetime | None = None
