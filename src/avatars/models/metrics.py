"""Privacy and utility metrics of avatars, with the targets that accompany them."""

from __future__ import annotations

from pydantic import Field

from avatars.models.base import Response


class PrivacyMetricsTargets(Response):
    """What each privacy metric should reach, as text."""

    hidden_rate: str = "> 90"
    local_cloaking: str = "> 5"
    distance_to_closest: str = "> 0.2"
    closest_distances_ratio: str = "> 0.3"


class PrivacyMetrics(Response):
    """How well the link between a person and their avatar is hidden. Finite numbers, always."""

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own."""
    local_cloaking: float
    """Median number of other avatars at least as close to a record as its own."""
    distance_to_closest: float
    """Median distance from an avatar to the closest original, in the projected space."""
    closest_distances_ratio: float
    """Median ratio of the distances to the closest and the second closest original."""
    targets: PrivacyMetricsTargets = Field(default_factory=PrivacyMetricsTargets)


class SignalMetricsTargets(Response):
    """What each utility metric should reach, as text."""

    hellinger_mean: str = "< 0.1"
    correlation_difference_ratio: str = "< 10"


class SignalMetrics(Response):
    """How well the avatars keep the statistics of the originals."""

    hellinger_mean: float
    """Mean over the columns of the Hellinger distance between original and avatar distribution."""
    hellinger_std: float
    """Standard deviation of the same over the columns."""
    correlation_difference_ratio: float | None = None
    """Percent: mean absolute difference of the correlations; none with fewer than two numeric columns."""
    targets: SignalMetricsTargets = Field(default_factory=SignalMetricsTargets)
