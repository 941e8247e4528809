"""The targets that accompany metrics are the same on the wire and at home."""

from __future__ import annotations

from avatars.evaluation.evaluate import PRIVACY_TARGETS, SIGNAL_TARGETS
from avatars.models import PrivacyMetricsTargets, SignalMetricsTargets


def test_the_wire_says_what_the_library_says() -> None:
    # The wire has more: targets of metrics that old clients want to see, computed or not.
    assert PRIVACY_TARGETS.items() <= PrivacyMetricsTargets().model_dump().items()
    assert SignalMetricsTargets().model_dump() == SIGNAL_TARGETS
