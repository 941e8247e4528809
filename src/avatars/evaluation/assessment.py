"""What an assessment says: a verdict, why, what to do, and every figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from avatars.evaluation.attacks.catalogue import FIGURES
from avatars.evaluation.attacks.figure import Figure, Verdict
from avatars.evaluation.attacks.membership import Exposure

Thoroughness = Literal["quick", "thorough"]


@dataclass(frozen=True)
class Assessment:
    """What attacks found, and what the gate says of it. The verdict is no promise: see docs/attacks.md.

    Attributes
    ----------
    verdict
        PASS, REVIEW, BLOCK or INCONCLUSIVE.
    reasons
        Sentences for people, what weighs most first: which figure, on how many people, against which limit, what the
        attacker is assumed to know, and which columns drove it.
    advice
        What to change; empty where nothing needs to be.
    figures
        Every figure of every attack; ``assessment["nearest_auc"]`` is one of them.
    exposure
        How many people stand out; None where nobody was measured.
    thoroughness
        How much was tried; None where nobody said.
    about
        What was attacked, in a sentence.
    rows, members, others
        Rows of the table, and how they were split.
    remarks
        What else is to be known.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    figures: tuple[Figure, ...]
    exposure: Exposure | None
    thoroughness: Thoroughness | None
    about: str
    rows: int
    members: int
    others: int
    remarks: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Figure:
        """Return a figure by name; raises ``KeyError``."""
        return {figure.name: figure for figure in self.figures}[name]

    def __str__(self) -> str:
        """Return the verdict with its reasons and advice, a line each."""
        exposed = [self.exposure.in_words()] if self.exposure else []
        return "\n".join([f"{self.verdict}: {self.about}.", *self.reasons, *self.advice, *exposed, *self.remarks])

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain values, for JSON; with what each figure says and assumes."""
        plain = asdict(self)
        for figure in plain["figures"]:
            figure.update(FIGURES[figure["name"]]._asdict())
        return plain
