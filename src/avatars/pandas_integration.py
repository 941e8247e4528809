"""pandas frames to the platform and back, every dtype kept.

They travel as Parquet with pandas' own description of them in the file's schema (`avatars.resources.frames`), which
the platform keeps in the avatars.
"""

from __future__ import annotations

import re
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from avatars.errors import InvalidInput, UnexpectedAnswer
from avatars.models import ColumnType, Dataset, FileType
from avatars.resources.datasets import IN_MEMORY, Datasets
from avatars.resources.frames import ArrowStream

# They take longer to import than everything else here: only those who use them wait.
if TYPE_CHECKING:
    import pandas as pd


class PandasIntegration:
    """pandas frames to the platform and back."""

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets

    def upload_dataframe(
        self,
        request: pd.DataFrame | ArrowStream,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> Dataset:
        """Send a frame and return the description of the dataset that it has become.

        The index is not sent: it may name people. Nor are ``DataFrame.attrs``. All categories of a
        categorical column are sent, those without a row too: ``remove_unused_categories`` drops them. Labels of
        different kinds (text and numbers) become text.

        Memory: one column, and a batch of 2,000,000 cells.

        Parameters
        ----------
        request
            A pandas frame; or what gives itself as an Arrow stream, as tables of pyarrow and polars do.
        name
            What the platform calls the dataset; it has no name by default.
        idempotency_key
            Two uploads of the same frame with the same key make one dataset.
        timeout
            Seconds that the platform may be silent; the client's timeout by default, but at least 600.
        progress
            False hides the table of progress; by default as the client was told.

        Raises
        ------
        avatars.errors.InvalidInput
            The frame is empty, two columns have one name, or a column mixes kinds of values or holds
            something other than numbers, text, dates, booleans and categories; nothing was sent.
        """
        if not hasattr(request, "__arrow_c_stream__"):
            raise InvalidInput(
                "upload_dataframe takes a pandas.DataFrame or an Arrow table; a file goes to datasets.create_dataset."
            )
        return self._datasets.create_dataset(
            request, name=name, idempotency_key=idempotency_key, timeout=timeout, progress=progress
        )

    def download_dataframe(
        self, id: UUID | str, *, timeout: float | None = None, progress: bool | None = None
    ) -> pd.DataFrame:
        """Return a dataset as a frame; avatars have the dtypes of the frame that was uploaded.

        Where the original came as CSV the dtypes are those that the platform found. Rows are numbered from 0.

        Memory: the frame, and the same once more as Arrow columns. Files above 64 MiB come through an unnamed
        temporary file.

        Parameters
        ----------
        timeout
            Seconds that the platform may be silent.
        progress
            False hides the table of progress; by default as the client was told.
        """
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            self._datasets.download_into(file, id, FileType.parquet, timeout=timeout, progress=progress)
            file.seek(0)
            is_parquet = file.read(4) == b"PAR1"
            file.seek(0)
            if is_parquet:
                return _read_parquet(file)
            columns = self._datasets.get_dataset(id, timeout=timeout).columns or []
            return _read_csv(file, {column.label: column.type for column in columns})


def _read_parquet(file: IO[bytes]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError):
        raise UnexpectedAnswer("The dataset did not come as the Parquet file that it said it is: try again.") from None
    frame: pd.DataFrame = table.to_pandas()
    if frame.shape[1] != table.num_columns:  # columns have become the index: a file with one was uploaded
        return frame
    described = {column["field_name"]: column for column in (table.schema.pandas_metadata or {}).get("columns", [])}
    for position, name in enumerate(table.column_names):
        if name in described:
            series = frame.iloc[:, position]
            restored = _as_described(series, described[name])
            if restored is not series:
                frame.isetitem(position, restored)  # type: ignore[arg-type]  # the stubs know no Series here
    return frame


def _as_described(series: pd.Series[Any], column: dict[str, Any]) -> pd.Series[Any]:
    """Give a column what is lost on the way: categories that are not text, times in whole seconds, text in objects."""
    import pandas as pd

    if column["pandas_type"] == "categorical":
        if isinstance(series.dtype, pd.CategoricalDtype):
            return series
        return series.astype(pd.CategoricalDtype(ordered=bool((column["metadata"] or {}).get("ordered"))))
    if column["numpy_type"] == "object" and isinstance(series.dtype, pd.StringDtype):
        return series.astype(object).where(series.notna(), None)
    unit = re.match(r"(?:datetime|timedelta)64\[(s|ms|us|ns)", column["numpy_type"])
    if unit and series.dtype.kind in "mM" and f"64[{unit[1]}" not in str(series.dtype):
        whole: pd.Series[Any] = series.dt.as_unit(unit[1])
        return whole
    return series


def _read_csv(file: IO[bytes], types: dict[str, ColumnType]) -> pd.DataFrame:
    """Read what a platform that knows no Parquet answers."""
    import pandas as pd

    dtypes = {
        ColumnType.int: "Int64",
        ColumnType.float: "float64",
        ColumnType.bool: "boolean",
        ColumnType.category: "category",
        ColumnType.datetime: "str",
    }
    try:
        frame = pd.read_csv(
            file,
            dtype={label: dtypes[type_] for label, type_ in types.items()},
            # Only an empty cell is missing: "NA" may be a modality.
            keep_default_na=False,
            na_values=[""],
        )
        for label, type_ in types.items():
            if type_ is ColumnType.datetime:
                frame[label] = pd.to_datetime(frame[label], format="ISO8601")
            elif type_ in (ColumnType.int, ColumnType.bool) and not frame[label].isna().any():
                frame[label] = frame[label].astype("int64" if type_ is ColumnType.int else "bool")
    except (ValueError, KeyError):
        # Without its cause: pandas' messages repeat the cell.
        raise UnexpectedAnswer("The dataset did not come with the columns that it is described with.") from None
    return frame
