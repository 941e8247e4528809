"""What a report's job is asked for: known to the platform, which does not load what writes reports, and to workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from avatars.server.jobs.measured import Kept


@dataclass(frozen=True)
class Wish:
    """The parameters of a report's job; JSON values.

    Attributes
    ----------
    made_on
        Day of the job that it is about.
    run
        Parameters of the avatarization as the wire has them; None where avatars were made elsewhere.
    space
        Parameters of the privacy metrics: for the projection, where there is no run, and whom to compare with.
    seed_was_given
        None where there is no run.
    privacy, signal
        The metrics as they were kept.
    marks
        See ``About``.
    assessment
        What attacks found, as it was kept; None where that is not known yet.
    """

    language: str
    made_on: str
    run: dict[str, Any] | None
    space: dict[str, Any]
    seed_was_given: bool | None
    privacy: Kept | None
    signal: Kept | None
    marks: dict[str, str]
    assessment: dict[str, Any] | None = None
