"""A pipeline: processors, an avatarization, the processors' way back, and its metrics.

It runs in the client; only its parts go over the wire. Importing this module does not import pandas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable
from uuid import UUID

from pydantic import ConfigDict

from avatars.models.base import Request, Response
from avatars.models.jobs import AvatarizationJobCreate
from avatars.models.metrics import PrivacyMetrics, SignalMetrics

if TYPE_CHECKING:
    from pandas import DataFrame
else:
    DataFrame = Any


@runtime_checkable
class Processor(Protocol):
    """Changes a frame before it is avatarized, and the avatars afterwards. Any object with these two methods is one.

    Neither may change the frames that it is given. A pipeline calls ``preprocess`` in the order of its list and
    ``postprocess`` in the reverse order; ``isinstance`` looks for the methods, not at their arguments.
    """

    def preprocess(self, df: DataFrame) -> DataFrame:
        """Return what is to be avatarized in place of ``df``: as many rows, in the same order."""
        ...

    def postprocess(self, source: DataFrame, dest: DataFrame) -> DataFrame:
        """Return the unshuffled avatars ``dest`` in the terms of the originals ``source``; row i of both is a pair."""
        ...


class AvatarizationPipelineCreate(Request):
    """Asks for a pipeline."""

    model_config: ClassVar[ConfigDict] = ConfigDict(arbitrary_types_allowed=True)

    avatarization_job_create: AvatarizationJobCreate
    """Its ``dataset_id`` is the originals' dataset; without one ``df`` is sent first."""
    processors: Sequence[Processor] = ()
    """Applied in this order before the avatarization, and the other way round afterwards."""
    df: DataFrame
    """The originals."""


class AvatarizationPipelineResult(Response):
    """What a pipeline gives."""

    model_config: ClassVar[ConfigDict] = ConfigDict(arbitrary_types_allowed=True)

    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics
    post_processed_avatars: DataFrame
    """The avatars after all processors, in an order that carries no trace of the originals."""
    avatarization_job_id: UUID
    privacy_job_id: UUID
    signal_job_id: UUID
