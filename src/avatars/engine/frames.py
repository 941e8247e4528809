"""pandas at the edge: a frame becomes an Arrow table, and a table a frame of the original dtypes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.errors import InvalidTable
from avatars.engine.plain import is_text, plain


@dataclass(frozen=True, eq=False)
class FrameManifest:
    """What a frame has that a table has not: its labels as they were and its pandas dtypes.

    Attributes
    ----------
    labels
        The frame's columns, in order.
    names
        The table's column for each label: the label as text.
    dtypes
        The dtype of each column.
    missing
        What stands for missing cells in each column of dtype object: None, NaN, NaT or NA.
    """

    labels: pd.Index[Any]
    names: tuple[str, ...]
    dtypes: tuple[Any, ...]
    missing: tuple[Any, ...]

    def name_of(self, label: Any) -> str:
        """The table's column for a label of the frame; the label as text when the frame has not got it."""
        try:
            position = self.labels.get_loc(label)
        except (KeyError, TypeError, ValueError):
            return str(label)
        return self.names[position] if isinstance(position, int) else str(label)


def to_arrow(frame: pd.DataFrame) -> tuple[pa.Table, FrameManifest]:
    """Turn a frame into a table, and remember what `to_frame` needs to undo it. The index is left out.

    Raises
    ------
    InvalidTable
        Something else than a frame (``no_frame``), duplicate labels (``duplicate_columns``), columns of objects of
        several kinds (``mixed_types``),
        dtypes that cannot be avatarized (``unsupported_type``).
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidTable(
            f"A table must be a pandas DataFrame, and this is of type {type(frame).__name__!r}.", code="no_frame"
        )
    names = _names(frame.columns)
    arrays, missing = [], []
    for position, name in enumerate(names):
        series = frame.iloc[:, position]
        arrays.append(_to_array(name, series))
        missing.append(_missing_marker(series))
    manifest = FrameManifest(frame.columns, names, tuple(frame.dtypes), tuple(missing))
    return pa.Table.from_arrays(arrays, names=list(names)), manifest


def to_frame(table: pa.Table, manifest: FrameManifest) -> pd.DataFrame:
    """Turn a table with the columns of `to_arrow`'s into a frame with the original labels and dtypes.

    Its index counts from 0: the original labels of rows would link avatars to persons.
    """
    columns = {
        position: pd.Series(_from_array(values, dtype, missing), dtype=dtype, copy=False)
        for position, (values, dtype, missing) in enumerate(
            zip(table.columns, manifest.dtypes, manifest.missing, strict=True)
        )
    }
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    frame.columns = manifest.labels
    return frame


def _names(labels: pd.Index[Any]) -> tuple[str, ...]:
    """Labels as text; labels that differ, such as 1 and "1", stay apart."""
    if not labels.is_unique:
        label = str(labels[labels.duplicated()][0])
        raise InvalidTable(
            f"The table has several columns called {label!r}: labels must be unique.",
            code="duplicate_columns",
            column=label,
        )
    names: dict[str, None] = {}
    for label in labels:
        name = text = " ".join(map(str, label)) if isinstance(label, tuple) else str(label)
        number = 1
        while name in names:
            name, number = f"{text}.{number}", number + 1
        names[name] = None
    return tuple(names)


def _to_array(name: str, series: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    dtype = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        series = pd.Series(np.asarray(series.array), copy=False)
        dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _category_array(series)
    if _is_object(dtype):
        return _object_array(name, series)
    if isinstance(dtype, np.dtype):
        # Complex numbers, records, and floats that are wider than Arrow's.
        unsupported = dtype.kind in "cV" or (dtype.kind == "f" and dtype.itemsize > 8)
    else:
        unsupported = isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype))
    if unsupported:
        raise InvalidTable(
            f"Column {name!r} is of the dtype {dtype}, which cannot be avatarized: turn it into numbers,"
            " dates or text.",
            code="unsupported_type",
            column=name,
        )
    return pa.array(series.array if not isinstance(dtype, np.dtype) else series, from_pandas=True)


def _is_object(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _category_array(series: pd.Series[Any]) -> pa.DictionaryArray:
    codes = series.cat.codes.to_numpy()
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), _dictionary(series.cat.categories), ordered=bool(series.cat.ordered)
    )


def _dictionary(categories: pd.Index[Any]) -> pa.Array:
    try:
        dictionary = pa.array(categories, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        dictionary = None
    if dictionary is None or isinstance(dictionary, pa.ExtensionArray):
        # Intervals (pandas.cut) and categories of several kinds: the number says which one is meant.
        return pa.array([f"{number}: {category}" for number, category in enumerate(categories)], pa.string())
    return dictionary


# What pandas calls the content of a column of objects, and the Arrow type for it (None: Arrow finds it).
_OBJECT_KINDS: dict[str, pa.DataType | None] = {
    "string": pa.large_string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "floating": pa.float64(),
    "mixed-integer-float": pa.float64(),
    "decimal": None,
    "date": pa.date32(),
    "datetime": None,
    "empty": pa.null(),
}


def _object_array(name: str, series: pd.Series[Any]) -> pa.Array:
    kind = pd.api.types.infer_dtype(series, skipna=True)
    try:
        if kind in _OBJECT_KINDS:
            return pa.array(series, type=_OBJECT_KINDS[kind], from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    kinds = sorted({type(value).__name__ for value in series[series.notna()]})
    raise InvalidTable(
        f"Column {name!r} holds values of several or unknown kinds ({', '.join(kinds)}): turn all of them"
        " into text, numbers or dates.",
        code="mixed_types",
        column=name,
    )


def _missing_marker(series: pd.Series[Any]) -> Any:
    if not _is_object(series.dtype):
        return None
    missing = series[series.isna()]
    return missing.iloc[0] if len(missing) else None


def _from_array(values: pa.ChunkedArray, dtype: Any, missing: Any) -> Any:
    if isinstance(dtype, pd.SparseDtype):
        return pd.Series(_from_array(values, dtype.subtype, missing)).astype(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return _to_categorical(values, dtype)
    if _is_object(dtype):
        return _to_objects(values, missing)
    from_arrow: Callable[[Any], Any] | None = getattr(dtype, "__from_arrow__", None)
    if from_arrow is not None:
        return from_arrow(values)
    if values.null_count and dtype.kind in "iub":
        raise ValueError("a column without missing values came back with some")
    return values.to_numpy().astype(dtype, copy=False)


def _to_categorical(values: pa.ChunkedArray, dtype: pd.CategoricalDtype) -> pd.Categorical:
    known = plain(_dictionary(dtype.categories))
    chunks = [np.empty(0, np.int64)]
    for chunk in values.chunks:
        codes = pc.index_in(plain(chunk.dictionary), value_set=known).take(chunk.indices)
        chunks.append(pc.fill_null(codes, -1).to_numpy())
    return pd.Categorical.from_codes(np.concatenate(chunks), dtype=dtype)


def _to_objects(values: pa.ChunkedArray, missing: Any) -> npt.NDArray[np.object_]:
    objects = np.empty(len(values), np.object_)
    objects[:] = values.to_numpy() if is_text(values.type) else values.to_pylist()
    if values.null_count:
        objects[pc.is_null(values).to_numpy()] = missing
    return objects
