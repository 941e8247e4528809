"""What ``anonymize`` and ``evaluate`` return: values that show themselves in notebooks and write their report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from avatars._notebook import attacks_found, metrics_html
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import Parameters
from avatars.engine.renumbering import Replaced
from avatars.evaluation.assessment import Assessment
from avatars.evaluation.auto_k import Choice
from avatars.evaluation.evaluate import Evaluation, PrivacyMetrics, SignalMetrics
from avatars.report import About, Report, describe, format_of

_MOST_HASHED = 1_000_000
"""Cells of avatars whose CSV is hashed: writing more of them would take longer than the report."""


@dataclass(frozen=True)
class Evaluated(Evaluation):
    """What ``evaluate`` returns: every metric, and the way to a report about them."""

    about: About = field(kw_only=True, repr=False, compare=False)

    def report(self, path: str | Path | None = None, *, language: str = "en") -> Report:
        """Return the report about these tables, and write it where ``path`` says.

        Parameters
        ----------
        path
            A file whose name ends in .html, .pdf or .json.
        language
            ``"en"`` or ``"fr"``.

        Raises
        ------
        avatars.engine.errors.EngineError
            The name ends otherwise, there is no such language, or the result was pickled, which leaves the tables
            behind that a report is made of.

        Notes
        -----
        Cost: a fraction of the evaluation's, and a few seconds for the figures.
        """
        return self.report_on({}, None, None, path, language)

    def report_on(
        self,
        marks: Mapping[str, str],
        assessment: Assessment | None,
        choice: Choice | None,
        path: str | Path | None,
        language: str,
    ) -> Report:
        """Return the report with more marks, what attacks found, and how k was chosen; raises as ``report``."""
        if path is not None:
            format_of(path)
        if self.sensitive_pair is None:
            raise InvalidParameter(
                "This result was stored without the tables that a report is made of: compute it again.",
                code="no_tables",
            )
        about = replace(self.about, marks={**self.about.marks, **marks})
        report = describe(
            self.metrics,
            self.remarks,
            self.sensitive_pair,
            about,
            None if assessment is None else assessment.to_dict(),
            None if choice is None else choice.to_dict(),
        )
        if path is not None:
            report.save(path, language)
        return report

    def _repr_html_(self) -> str:
        return metrics_html("Metrics", [metric.to_dict() for metric in self.metrics], self.remarks)


@dataclass(frozen=True, eq=False)
class Anonymized:
    """What ``anonymize`` returns.

    Attributes
    ----------
    avatars
        As many rows, the same columns and dtypes, in an order that carries no trace of the originals.
    sensitive_unshuffled_avatars
        SENSITIVE: row i is the avatar of row i of the originals. It is not for sharing.
    privacy_metrics, signal_metrics
        How well people are protected, and how well their statistics are kept.
    seed
        The seed that was used; with it, the same call gives the same avatars. Keep it to yourself.
    evaluation
        The same metrics with targets, baselines and reasons. It holds on to the originals until this value is gone,
        for ``report``; it is not pickled with them.
    assessment
        What attacks found in avatars of one half of the table, and the verdict; None where none was asked for.
    choice
        Why this k, and what attacks find and statistics lose over k; None unless k was ``"auto"``.
    """

    avatars: pd.DataFrame
    sensitive_unshuffled_avatars: pd.DataFrame
    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics
    seed: int
    evaluation: Evaluated = field(repr=False)
    assessment: Assessment | None = None
    choice: Choice | None = None

    def report(self, path: str | Path | None = None, *, language: str = "en") -> Report:
        """Return the report about these avatars, and write it where ``path`` says; see ``Evaluated.report``.

        The report can be shared: it shows no record, and nothing of fewer than five people.
        """
        marks = {}
        if self.avatars.size <= _MOST_HASHED:
            content = self.avatars.to_csv(index=False).encode()
            marks["avatars_csv_sha256"] = hashlib.sha256(content).hexdigest()
        return self.evaluation.report_on(marks, self.assessment, self.choice, path, language)

    def _repr_html_(self) -> str:
        title = f"{len(self.avatars):,} avatars, {len(self.avatars.columns):,} columns"
        metrics = [metric.to_dict() for metric in self.evaluation.metrics]
        first = self.avatars.head()._repr_html_()  # type: ignore[operator]  # pandas' types leave it out
        found = [] if self.assessment is None else attacks_found(self.assessment.verdict, self.assessment.reasons)
        return f"{metrics_html(title, metrics, found)}<p>The first of them:</p>{first}"


def evaluated(
    evaluation: Evaluation,
    parameters: Parameters | None,
    *,
    seed_was_given: bool | None = None,
    replaced: Replaced | None = None,
    marks: Mapping[str, str] | None = None,
) -> Evaluated:
    """Return an evaluation of today that can report; ``parameters`` are those of the run, if it was ours."""
    about = About(
        datetime.now(UTC).date(),
        parameters,
        seed_was_given,
        replaced=() if replaced is None else replaced.names,
        marks=marks or {},
    )
    return Evaluated(evaluation.metrics, evaluation.remarks, evaluation.sensitive_pair, about=about)


def sha256_of(path: Path) -> str:
    """Return the hash of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
