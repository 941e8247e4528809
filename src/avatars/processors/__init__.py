"""Processors: what is done to a frame before it is avatarized, and undone in the avatars.

Each class has a module of its own; all can be imported from here. pandas is loaded with the first that is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatars.processors.base import Processor as Processor
    from avatars.processors.datetime import DatetimeProcessor as DatetimeProcessor
    from avatars.processors.expected_mean import ExpectedMeanProcessor as ExpectedMeanProcessor
    from avatars.processors.geolocation_normalization import (
        GeolocationNormalizationProcessor as GeolocationNormalizationProcessor,
    )
    from avatars.processors.group_modalities import GroupModalitiesProcessor as GroupModalitiesProcessor
    from avatars.processors.inter_record_bounded_cumulated_difference import (
        InterRecordBoundedCumulatedDifferenceProcessor as InterRecordBoundedCumulatedDifferenceProcessor,
    )
    from avatars.processors.inter_record_bounded_range_difference import (
        InterRecordBoundedRangeDifferenceProcessor as InterRecordBoundedRangeDifferenceProcessor,
    )
    from avatars.processors.inter_record_cumulated_difference import (
        InterRecordCumulatedDifferenceProcessor as InterRecordCumulatedDifferenceProcessor,
    )
    from avatars.processors.inter_record_range_difference import (
        InterRecordRangeDifferenceProcessor as InterRecordRangeDifferenceProcessor,
    )
    from avatars.processors.perturbation import PerturbationProcessor as PerturbationProcessor
    from avatars.processors.proportions import ProportionProcessor as ProportionProcessor
    from avatars.processors.relative_difference import RelativeDifferenceProcessor as RelativeDifferenceProcessor
    from avatars.processors.relative_range import RelativeRangeProcessor as RelativeRangeProcessor
    from avatars.processors.to_categorical import ToCategoricalProcessor as ToCategoricalProcessor

_MODULES = {
    "Processor": "base",
    "DatetimeProcessor": "datetime",
    "ExpectedMeanProcessor": "expected_mean",
    "GeolocationNormalizationProcessor": "geolocation_normalization",
    "GroupModalitiesProcessor": "group_modalities",
    "InterRecordBoundedCumulatedDifferenceProcessor": "inter_record_bounded_cumulated_difference",
    "InterRecordBoundedRangeDifferenceProcessor": "inter_record_bounded_range_difference",
    "InterRecordCumulatedDifferenceProcessor": "inter_record_cumulated_difference",
    "InterRecordRangeDifferenceProcessor": "inter_record_range_difference",
    "PerturbationProcessor": "perturbation",
    "ProportionProcessor": "proportions",
    "RelativeDifferenceProcessor": "relative_difference",
    "RelativeRangeProcessor": "relative_range",
    "ToCategoricalProcessor": "to_categorical",
}

__all__ = [
    "DatetimeProcessor",
    "ExpectedMeanProcessor",
    "GeolocationNormalizationProcessor",
    "GroupModalitiesProcessor",
    "InterRecordBoundedCumulatedDifferenceProcessor",
    "InterRecordBoundedRangeDifferenceProcessor",
    "InterRecordCumulatedDifferenceProcessor",
    "InterRecordRangeDifferenceProcessor",
    "PerturbationProcessor",
    "Processor",
    "ProportionProcessor",
    "RelativeDifferenceProcessor",
    "RelativeRangeProcessor",
    "ToCategoricalProcessor",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"avatars.processors.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'avatars.processors' has no attribute {name!r}")
