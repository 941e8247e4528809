"""What a worker does for a metrics job: two datasets, made anywhere, brought to what can be compared, and measured."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pyarrow as pa

from avatars.engine.columns import Kind
from avatars.engine.errors import InvalidTable
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Progress
from avatars.evaluation.evaluate import evaluate
from avatars.evaluation.request import Request
from avatars.server.datasets import normal_form
from avatars.server.jobs.measured import keep_privacy, keep_signal
from avatars.server.jobs.models import JobKind
from avatars.server.jobs.orders import Done, Order
from avatars.server.jobs.parameters import REQUESTED
from avatars.server.storage import Storage


def compare(storage: Storage, order: Order, parameters: Parameters, types: dict[str, Kind], progress: Progress) -> Done:
    """Measure the avatars of an order against its originals, over the columns that both have.

    Raises the engine's errors.
    """
    assert order.compared_dataset_id is not None
    originals = normal_form.read(storage, order.dataset_id).table
    avatars = normal_form.read(storage, order.compared_dataset_id).table
    left_out = columns_of_one(originals, avatars)
    originals, avatars = comparable(originals, avatars)
    held_out = held_out_people(storage, order.parameters, originals)
    metrics = evaluate(
        originals,
        avatars,
        parameters,
        types=types_of(originals, types),
        held_out=held_out,
        request=_request(order),
        progress=progress,
    )
    details: dict[str, Any] = {"columns_left_out": left_out}
    if order.kind is JobKind.PRIVACY_METRICS:
        return Done(privacy_metrics=keep_privacy(metrics), details=details)
    return Done(signal_metrics=keep_signal(metrics), details=details)


def _request(order: Order) -> Request:
    said, is_privacy = order.parameters, order.kind is JobKind.PRIVACY_METRICS
    wanted: dict[str, Any] = {"privacy": is_privacy, "utility": not is_privacy, "shuffled": not is_privacy}
    for name in REQUESTED:
        if said.get(name) is not None:
            wanted[name] = said[name]
    return Request(**wanted)


def held_out_people(storage: Storage, parameters: dict[str, Any], originals: pa.Table) -> pa.Table | None:
    """Return the people who were held out, with the columns that are compared, if any were named.

    Raises
    ------
    InvalidTable
        Their dataset was deleted (``holdout_deleted``).
    """
    if (named := parameters.get("holdout_id")) is None:
        return None
    try:
        table = normal_form.read(storage, UUID(named)).table
    except FileNotFoundError:
        raise InvalidTable(
            "The dataset of the held-out people was deleted: name another one, or none.", code="holdout_deleted"
        ) from None
    # A column that it lacks is refused by name where tables are compared.
    return table.select([name for name in originals.column_names if name in table.column_names])


def types_of(originals: pa.Table, types: dict[str, Kind]) -> dict[str, Kind]:
    """Return the declared types that these originals still can have."""
    return {
        # What was declared an integer may have become a float on its way through a processor.
        name: Kind.FLOAT if kind is Kind.INT and pa.types.is_floating(originals[name].type) else kind
        for name, kind in types.items()
        if name in originals.column_names
    }


def comparable(originals: pa.Table, avatars: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return both tables with the columns that both have, numbers of one column in one type.

    Processors leave numbers where integers were, and integers where all decimals happened to vanish: such a column is
    compared as float64.

    Raises
    ------
    InvalidTable
        The tables share no column (``different_columns``).
    """
    common = [name for name in originals.column_names if name in avatars.column_names]
    if not common:
        raise InvalidTable(
            "The originals and the avatars have no column in common: check that the two datasets belong together.",
            code="different_columns",
        )
    originals, avatars = originals.select(common), avatars.select(common)
    for position, name in enumerate(common):
        types = originals.schema.field(position).type, avatars.schema.field(position).type
        if types[0] != types[1] and all(pa.types.is_floating(each) or pa.types.is_integer(each) for each in types):
            originals = _as_floats(originals, position, name)
            avatars = _as_floats(avatars, position, name)
    return originals, avatars


def _as_floats(table: pa.Table, position: int, name: str) -> pa.Table:
    # Not safe: beyond 2**53 an integer is rounded, which no metric sees.
    return table.set_column(position, name, table.column(position).cast(pa.float64(), safe=False))


def columns_of_one(originals: pa.Table, avatars: pa.Table) -> list[str]:
    """Return the columns that only one of two tables has."""
    here, there = originals.column_names, avatars.column_names
    return [name for name in here if name not in there] + [name for name in there if name not in here]
