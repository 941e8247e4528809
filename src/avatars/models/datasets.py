"""Datasets: tables on the platform."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

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
    nb_dimensions: int = 0
    """Numeric columns plus modalities of the categorical ones."""
    filetype: FileType = FileType.csv
    """The format that was uploaded."""
    created_at: datetime | None = None
