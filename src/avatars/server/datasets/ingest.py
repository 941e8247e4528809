"""What workers do for datasets at once: reading uploads, looking at columns again later on."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from avatars.engine.columns import Kind, detect
from avatars.engine.files import read_table
from avatars.server.datasets import analysis, normal_form
from avatars.server.datasets.description import ColumnDescription, declared_types
from avatars.server.datasets.normal_form import Written
from avatars.server.storage import Storage


def ingest(storage: Storage, key: str, dataset_id: UUID, max_bytes: int) -> Written:
    """Read the uploaded file ``key``, of ``max_bytes`` when unpacked, and write it in the normal form.

    Raises ``InvalidTable``.
    """
    with storage.local_path(key) as path:
        source = read_table(path, max_bytes=max_bytes)
    detected = detect(source.table)
    return normal_form.write(storage, dataset_id, source, normal_form.describe(detected, detected))


def declare(storage: Storage, dataset_id: UUID, types: Mapping[str, str]) -> list[ColumnDescription]:
    """Describe the columns of a dataset with the types that its user wants; raises ``InvalidTable``.

    ``types`` has all columns; those of the detected type stay as they were detected.
    """
    table = normal_form.read(storage, dataset_id).table
    detected = detect(table)
    wanted = {column.name: Kind(types[column.name]) for column in detected if types[column.name] != column.kind.value}
    return normal_form.describe(detect(table, wanted), detected) if wanted else normal_form.describe(detected, detected)


def correlate(
    storage: Storage, dataset_id: UUID, columns: list[ColumnDescription]
) -> dict[str, dict[str, float | None]]:
    """Correlate the numeric columns of a dataset; raises ``InvalidTable``."""
    return analysis.correlate(normal_form.read(storage, dataset_id).table, declared_types(columns))
