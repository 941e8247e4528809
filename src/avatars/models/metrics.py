"""Privacy and utility metrics of avatars, with the targets that accompany them, and what they are measured in."""

from __future__ import annotations

from pydantic import Field

from avatars.models.base import Response


class PrivacyMetricsTargets(Response):
    """What each privacy metric should reach, as text."""

    hidden_rate: str = "> 90"
    local_cloaking: str = "> 5"
    distance_to_closest: str = "> 0.2"
    closest_distances_ratio: str = "> 0.3"
    closest_rate: str = "> 90"
    column_direct_match_protection: str = "> 50"
    row_direct_match_protection: str = "> 90"
    categorical_hidden_rate: str = "> 90"
    correlation_protection_rate: str = "> 95"
    inference_continuous: str = "> 10"
    inference_categorical: str = "> 10"


class PrivacyMetrics(Response):
    """How well the link between a person and their avatar is hidden.

    The first four are finite numbers, always; each of the others is null where it was not computed.
    """

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own."""
    local_cloaking: float
    """Median number of other avatars at least as close to a record as its own."""
    distance_to_closest: float
    """Median distance from an avatar to the closest original, in the projected space."""
    closest_distances_ratio: float
    """Median ratio of the distances to the closest and the second closest original."""
    closest_rate: float | None = None
    """Percent of avatars that are not suspiciously close to one original."""
    column_direct_match_protection: float | None = None
    """Percent: how little the column tells that tells most by being the same in record and avatar."""
    row_direct_match_protection: float | None = None
    """Percent of originals that do not occur among the avatars as they are."""
    categorical_hidden_rate: float | None = None
    """Percent: how seldom the categorical columns alone lead to one's own avatar."""
    correlation_protection_rate: float | None = None
    """Percent: how seldom known columns alone lead to one's own avatar and no other."""
    inference_continuous: float | None = None
    """Percent: mean relative error of who guesses a number from known columns and the avatars."""
    inference_categorical: float | None = None
    """Percent of wrong guesses of who guesses a modality from known columns and the avatars."""
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


class Projections(Response):
    """Originals and avatars as points, one list of coordinates a row."""

    records: list[list[float]]
    """SENSITIVE: where the originals lie."""
    avatars: list[list[float]]
    """In the order in which avatars are published: none belongs to the record of the same place."""
    nb_lines: int | None = None
    """Rows of the whole table; where it is larger than the lists, they are a random sample."""


class ExplainedVariance(Response):
    """The variance that each component of the projection explains, the largest first."""

    raw: list[float]
    """The eigenvalues."""
    ratio: list[float]
    """Their share of the whole, 0 to 1."""


class Contributions(Response):
    """How much each variable contributes to each component."""

    data: dict[str, dict[str, float]]
    """Percent, by component and variable."""
