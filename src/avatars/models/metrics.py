"""Privacy and utility metrics of avatars, with the targets that accompany them, and what they are measured in."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from avatars.models.base import Response


class MetricBaseline(Response):
    """A figure without which a metric's value says little."""

    what: str
    """Whose figure it is, in a few words."""
    value: float
    """The same metric of those."""
    same_rows: float | None = None
    """The avatars' own figure on as few rows as the baseline's; null where that makes no difference."""


class MetricPart(Response):
    """What a metric is of one column, or of some together."""

    columns: list[str]
    value: float


class MetricDetail(Response):
    """All there is to know of one metric: a value, or the reason why there is none."""

    name: str
    criterion: str
    """What it speaks to: singling out, linkability, inference or utility."""
    value: float | None = None
    reason: str | None = None
    """Why it was not computed; null where it was."""
    target: str | None = None
    """What the value is usually asked to reach; null where only the baseline can say."""
    reaches_target: bool | None = None
    """Whether it does; null without a target or a value. A target is a convention, no verdict."""
    attacker: str | None = None
    """What the attacker is assumed to hold and to do; null for utility."""
    baseline: MetricBaseline | None = None
    note: str | None = None
    """What else is to be known."""
    worst: list[MetricPart] = Field(default_factory=list)
    """The parts that the value sums up, the worst first, up to ten."""


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
    details: list[MetricDetail] = Field(default_factory=list)
    """Every privacy metric with its baseline, its worst columns, or the reason why it was not computed."""
    remarks: list[str] = Field(default_factory=list)
    """What the figures themselves say against the comparison; empty is well."""


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
    univariate_accuracy: float | None = None
    """How far the shares of single columns' values agree, 0 to 1; this one and those below where asked for."""
    bivariate_accuracy: float | None = None
    """The same of pairs of columns."""
    trivariate_accuracy: float | None = None
    """The same of triples."""
    association_difference: float | None = None
    """Percent: mean absolute difference of the associations of columns of any kinds."""
    discriminator_auc: float | None = None
    """How well a small model tells avatars from people: 0.5 is guessing."""
    prediction_score: float | None = None
    """How well a model of the target that was learnt from avatars does on people: 1 is perfect."""
    targets: SignalMetricsTargets = Field(default_factory=SignalMetricsTargets)
    details: list[MetricDetail] = Field(default_factory=list)
    """Every utility metric with what fresh people reach, its worst columns, or the reason why it was not computed."""
    remarks: list[str] = Field(default_factory=list)
    """What the figures themselves say against the comparison; empty is well."""


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


class FigureFormat(str, Enum):
    """How a figure can be had: drawn, or as the numbers that it shows."""

    svg = "svg"
    png = "png"
    json = "json"


class FigureDescription(Response):
    """One figure of a job."""

    name: str
    """What it is asked for by."""
    title: str
    description: str
    """What is to be seen, for those who do not see it."""
