"""The targets that accompany metrics are the same on the wire and at home."""

from __future__ import annotations

from avatars.evaluation.evaluate import PRIVACY_TARGETS, SIGNAL_TARGETS
from avatars.models import PrivacyMetricsTargets, SignalMetricsTargets


def test_the_wire_says_what_the_library_says() -> None:
    assert PrivacyMetricsTargets().model_dump() == PRIVACY_TARGETS
    assert SignalMetricsTargets().model_dump() == SIGNAL_TARGETS
