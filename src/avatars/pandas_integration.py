"""pandas frames to the platform and back, every dtype kept.

Frames travel as Parquet with pandas' own description of them in the file's schema; the platform keeps that
schema in the avatars.
"""

from __future__ import annotations

import re
from collections import Counter
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from avatars._http import Http, as_uuid
from avatars.errors import InvalidInput, UnexpectedAnswer
from avatars.models import ColumnType, Dataset
from avatars.resources.datasets import Datasets

# pandas and pyarrow take longer to import than everything else here: only those who use them wait.
if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

IN_MEMORY = 64 * 1024**2
"""Bytes of a Parquet file that are held in memory; a larger one goes through an unnamed temporary file."""

# What `pandas.api.types.infer_dtype` says of cells or labels of several kinds, or of an unknown one.
_MIXED = frozenset({"mixed", "mixed-integer"})


class PandasIntegration:
    """pandas frames to the platform and back."""

    def __init__(self, http: Http, datasets: Datasets) -> None:
        self._http = http
        self._datasets = datasets

    def upload_dataframe(
        self, request: pd.DataFrame, *, name: str | None = None, timeout: float | None = None
    ) -> Dataset:
        """Send a frame and return the description of the dataset that it has become.

        The index is not sent: it may name people. Nor are ``DataFrame.attrs``. All categories of a
        categorical column are sent, those without a row too: ``remove_unused_categories`` drops them. Labels of
        different kinds (text and numbers) become text.

        Memory: one further copy of the frame, as Arrow columns.

        Parameters
        ----------
        name
            What the platform calls the dataset; it has no name by default.
        timeout
            Seconds that the platform may be silent; the client's timeout by default, but at least 600.

        Raises
        ------
        avatars.errors.InvalidInput
            The frame is empty, two columns have one name, or a column mixes kinds of values or holds
            something other than numbers, text, dates, booleans and categories; nothing was sent.
        """
        import pyarrow.parquet as pq

        table = _to_table(request)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            pq.write_table(table, file, compression="zstd")
            del table
            file.seek(0)
            return self._datasets.create_dataset(file, name=name, timeout=timeout)

    def download_dataframe(self, id: UUID | str, *, timeout: float | None = None) -> pd.DataFrame:
        """Return a dataset as a frame; avatars have the dtypes of the frame that was uploaded.

        Where the original came as CSV the dtypes are those that the platform found. Rows are numbered from 0.
        """
        path = f"/datasets/{as_uuid(id)}/download"
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            self._http.request("GET", path, params={"filetype": "parquet"}, into=file, timeout=timeout)
            file.seek(0)
            is_parquet = file.read(4) == b"PAR1"
            file.seek(0)
            if is_parquet:
                return _read_parquet(file)
            columns = self._datasets.get_dataset(id, timeout=timeout).columns or []
            return _read_csv(file, {column.label: column.type for column in columns})


def _to_table(frame: pd.DataFrame) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput("upload_dataframe takes a pandas.DataFrame; a file goes to datasets.create_dataset.")
    if frame.empty:
        raise InvalidInput("The frame has no rows or no columns: there is nothing to send.")
    twice = [name for name, count in Counter(str(label) for label in frame.columns).items() if count > 1]
    if twice:
        raise InvalidInput(f"Column {twice[0]!r} is there more than once: give each column a name of its own.")

    # Neither the index nor attrs go along; the caller's frame is left as it is.
    labels = frame.columns
    frame = frame.reset_index(drop=True)
    frame.attrs = {}
    if any(pd.api.types.infer_dtype(labels.get_level_values(level)) in _MIXED for level in range(labels.nlevels)):
        frame.columns = pd.Index([str(label) for label in labels])
    for position, label in enumerate(frame.columns):
        series = frame.iloc[:, position]
        if isinstance(series.dtype, pd.SparseDtype):
            frame.isetitem(position, series.to_numpy())
        elif series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) in _MIXED:
            raise _not_sendable(label, series)
    try:
        # preserve_index=None: the numbered index becomes two numbers of metadata, and labels keep their type.
        table = pa.Table.from_pandas(frame, preserve_index=None)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        for position, label in enumerate(frame.columns):
            _check_converts(label, frame.iloc[:, position])
        raise InvalidInput("The frame cannot be sent: give its columns plain dtypes with DataFrame.astype.") from None
    for position, label in enumerate(frame.columns):
        if not _is_plain(table.schema.field(position).type):
            raise _not_sendable(label, frame.iloc[:, position])
    return table


def _check_converts(label: object, series: pd.Series[Any]) -> None:
    import pyarrow as pa

    try:
        pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Without its cause: Arrow's messages repeat the cell.
        raise _not_sendable(label, series) from None


def _not_sendable(label: object, series: pd.Series[Any]) -> InvalidInput:
    kinds = sorted({type(value).__name__ for value in series.dropna()}) if series.dtype == object else []
    if len(kinds) > 1:
        return InvalidInput(
            f"Column {str(label)!r} mixes kinds of values ({', '.join(kinds)}): convert it to one, "
            f"for example with df[{label!r}].astype(str)."
        )
    return InvalidInput(
        f"Column {str(label)!r} ({kinds[0] if kinds else series.dtype}) is not of a kind that avatars have: "
        "convert it to numbers of at most 64 bits, text, dates, booleans or categories."
    )


def _is_plain(type_: pa.DataType) -> bool:
    import pyarrow.types as kinds

    if kinds.is_dictionary(type_):
        return _is_plain(type_.value_type)
    return kinds.is_primitive(type_) or kinds.is_decimal(type_) or kinds.is_null(type_) or _is_text(type_)


def _is_text(type_: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_))


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
