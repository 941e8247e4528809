"""Assessments: what attacks on avatars of one half of a dataset find, and the verdict."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from avatars.models.base import Request, Response
from avatars.models.status import JobProgress, JobStatus


class AssessmentVerdict(str, Enum):
    """What the gate says. None of them is a promise: attacks that were not tried are not ruled out."""

    passed = "PASS"
    """Every attack found about as little as it finds of people who are not in the table."""
    review = "REVIEW"
    """Somebody must look: more was found than by chance, or the table is too small to pass by itself."""
    block = "BLOCK"
    """More was found than anybody should publish."""
    inconclusive = "INCONCLUSIVE"
    """Too few people to say anything."""


class AssessmentThoroughness(str, Enum):
    """How much is tried."""

    quick = "quick"
    """Membership by distance, copies and linkage, in about the time of the avatarization itself."""
    thorough = "thorough"
    """Every attack."""


class AssessmentCreate(Request):
    """Asks for the assessment of an avatarization."""

    thoroughness: AssessmentThoroughness = AssessmentThoroughness.thorough


class AssessmentFigure(Response):
    """One figure of one attack: either ``value`` or ``reason`` is there."""

    name: str
    attack: str
    """The attack that it belongs to."""
    says: str
    """What it measures, in words."""
    attacker: str
    """What the attacker is assumed to hold and to want."""
    value: float | None = None
    low: float | None = None
    """One-sided 95 % bounds of the value."""
    high: float | None = None
    null: float | None = None
    """The same figure where there is nothing to find."""
    people: int = 0
    others: int = 0
    """On how many members (or queries), and on how many held-out people, it rests."""
    columns: dict[str, float] = Field(default_factory=dict)
    """The columns that drove it, and the share of each."""
    reason: str | None = None
    """Why there is no value, or why it decides nothing."""
    verdict: AssessmentVerdict | None = None
    """Null for figures that are shown and decide nothing."""


class AssessmentExposure(Response):
    """How many of the members measured stand out, and by which columns; never who, and no count under 5."""

    measured: int
    exposed: int | None = None
    """Those nearer to an avatar than 99 % of the others are; null where they are fewer than 5."""
    by_chance: int
    """How many would be if the avatars told nothing."""
    columns: dict[str, float] = Field(default_factory=dict)


class Assessment(Response):
    """What attacks found in avatars of one half of the dataset, made with the same parameters.

    The split follows from what is in the dataset, so that to ask again is no second chance.
    """

    status: JobStatus
    """Where the assessment stands; all below is there when it is ``success``."""
    error_message: str | None = None
    """Why it could not be made."""
    current_progress: JobProgress | None = None
    thoroughness: AssessmentThoroughness
    verdict: AssessmentVerdict | None = None
    reasons: list[str] = Field(default_factory=list)
    """Sentences, what weighs most first."""
    advice: list[str] = Field(default_factory=list)
    """What to change."""
    about: str | None = None
    """What was attacked."""
    figures: list[AssessmentFigure] = Field(default_factory=list)
    exposure: AssessmentExposure | None = None
    remarks: list[str] = Field(default_factory=list)
    number: int = 1
    """This is the n-th assessment of the dataset. Trying until one passes makes the verdict worth less."""
    is_released: bool = False
    """An admin has released the avatars in spite of what the assessment says."""


class ReleaseCreate(Request):
    """Releases avatars in spite of their assessment; for admins."""

    reason: str = Field(min_length=10, max_length=1000)
    """Why, for whoever asks later. Name no person in it."""
