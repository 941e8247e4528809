"""What the components of an avatarization's projection are, and where its records and avatars lie in them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avatars.engine.features import Features, Floats
from avatars.engine.progress import Silent
from avatars.engine.publish import publishing_order
from avatars.server.storage import Storage

if TYPE_CHECKING:
    # The platform reads points, and never loads what makes them.
    from avatars.engine.run import Avatarization

MOST_POINTS = 10_000
"""Records, and avatars, whose coordinates are kept: a figure shows no more, and a client reads them as JSON."""


def describe(made: Avatarization) -> dict[str, Any]:
    """Return variance and contributions of the components; nothing about single rows. JSON.

    A column and the indicator of its missing cells are one variable: what they contribute is added up.
    """
    from avatars.engine.variables import contributions

    space = made.projection
    by_variable: dict[str, Floats] = defaultdict(lambda: np.zeros(space.ncp))
    names = _features(made, originals=True).names
    for name, percents in zip(names, contributions(space), strict=True):
        by_variable[name] = by_variable[name] + percents
    return {
        "variance": space.eigenvalues.tolist(),
        "variance_ratio": space.explained_variance_ratio.tolist(),
        "contributions": {
            f"Dim. {component + 1}": {name: float(percents[component]) for name, percents in by_variable.items()}
            for component in range(space.ncp)
        },
    }


def write_points(storage: Storage, sensitive_dataset_id: UUID, made: Avatarization) -> None:
    """Keep the coordinates of records and avatars, beside the unshuffled avatars whose fate they share.

    They are about the records, so they are as sensitive as the originals; but not linked: avatars come in the order in
    which they are published. Of larger tables a random sample is kept.
    """
    seed = made.parameters.seed or 0
    features = _features(made, originals=True)
    kept = np.random.default_rng(seed % 2**64).permutation(len(features))[:MOST_POINTS]
    records = made.projection.transform(features.take(np.sort(kept)), Silent())
    # The first ones of an order that is random already.
    published = publishing_order(made.sensitive_unshuffled, seed)[:MOST_POINTS]
    avatars = made.projection.transform(_features(made, originals=False).take(published), Silent())
    columns = {"records": _points(records), "avatars": _points(avatars)}
    table = pa.table(columns).replace_schema_metadata({"nb_lines": str(len(features))})
    with storage.open_output(_key(sensitive_dataset_id)) as stream:
        pq.write_table(table, stream, compression="zstd")


def read_points(storage: Storage, sensitive_dataset_id: UUID) -> dict[str, Any]:
    """Return ``records`` and ``avatars``, and ``nb_lines`` of the whole table; raises ``FileNotFoundError``."""
    with storage.open_input(_key(sensitive_dataset_id)) as stream:
        table = pq.read_table(stream)
    return {
        "records": table["records"].to_pylist(),
        "avatars": table["avatars"].to_pylist(),
        "nb_lines": int(table.schema.metadata[b"nb_lines"]),
    }


def _features(made: Avatarization, *, originals: bool) -> Features:
    """Return rows as the search has seen them, or would see the avatars."""
    if originals:
        return made.imputer.with_indicators(made.complete, made.modelled(made.original))
    avatars = made.modelled(made.sensitive_unshuffled)
    return made.imputer.with_indicators(made.imputer.fill(avatars, Silent()), avatars)


def _points(coordinates: Floats) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(coordinates.ravel(), coordinates.shape[1])


def _key(sensitive_dataset_id: UUID) -> str:
    return f"datasets/{sensitive_dataset_id}/points.parquet"
