"""How k was chosen is in every form of a report where it was, and nowhere where it was not."""

from __future__ import annotations

import html
import io
import json
import re
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pypdf
import pytest
from matplotlib.axes import Axes

import avatars
from avatars.engine.errors import AvatarsWarning
from avatars.evaluation.attacks.figure import Verdict
from avatars.evaluation.auto_k import Choice, Point
from avatars.report import Report
from avatars.report.page import write_page
from avatars.report.words import words_of
from avatars.results import Anonymized

IRIS = Path(__file__).parents[3] / "fixtures" / "iris.csv"


@cache
def made() -> Anonymized:
    with warnings.catch_warnings():
        # What it thinks of so small a table has its own tests.
        warnings.simplefilter("ignore", AvatarsWarning)
        return avatars.anonymize(pd.read_csv(IRIS), k="auto", seed=1, assess=None)


@cache
def report() -> Report:
    """Its report, without the figures of which other tests tell."""
    rest = {"variables": (), "planes": None, "links": None, "components": None, "distances": None}
    return replace(made().report(), **rest)  # type: ignore[arg-type]


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


def in_pdf(shown: Report, language: str) -> str:
    return without_spaces(
        "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(shown.pdf(language))).pages)
    )


def drawn(axes: Axes) -> list[tuple[list[float], list[float], bool]]:
    """What each line of some axes goes through, and whether its marks are full."""
    return [
        (
            np.asarray(line.get_xdata()).tolist(),
            np.asarray(line.get_ydata()).tolist(),
            line.get_markerfacecolor() != "white",
        )
        for line in axes.lines
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_reason_and_the_figures_are_in_each_form(language: str) -> None:
    choice, words = made().choice, words_of(language)
    assert choice is not None
    assert json.loads(report().json())["choice"] == json.loads(json.dumps(choice.to_dict()))
    page = html.unescape(report().html(language))
    sentences = (words("choice.title"), words.said(choice.reason), words("choice.looks", some=len(choice.points)))
    for text in (without_spaces(page), in_pdf(report(), language)):
        assert all(without_spaces(sentence) in text for sentence in sentences)
    # For those who do not see it.
    for point in choice.points:
        assert point.nearest_auc is not None
        assert words.number(point.nearest_auc) in page


def test_the_curves_go_through_what_was_found() -> None:
    choice = made().choice
    assert choice is not None
    assert report().figure_data("choice") == choice.to_dict()
    found = [(point.k, point.nearest_auc, point.bivariate_accuracy) for point in choice.points]
    every, *curves = (list(figures) for figures in zip(*found, strict=True))
    for axes, curve in zip(report().figure("choice").axes, curves, strict=True):
        assert (every, curve) in [line[:2] for line in drawn(axes)]
        assert ([choice.k] * 2, [0, 1]) in [line[:2] for line in drawn(axes)]


def test_a_k_that_was_given_leaves_the_section_out() -> None:
    given = replace(report(), choice=None)
    assert "choice" in report().figures()
    assert "choice" not in given.figures()
    title = words_of("en")("choice.title")
    assert title not in given.html("en")
    assert without_spaces(title) not in in_pdf(given, "en")


def test_a_choice_without_a_curve_says_why() -> None:
    few = Choice(10, False, (Point(10, None, None, None, None, Verdict.INCONCLUSIVE),), None, "too few people")
    shown = replace(report(), choice=few.to_dict())
    assert "choice" not in shown.figures()
    section = write_page(shown, words_of("en")).choice
    assert section is not None
    assert section.text.startswith("too few people")
    assert not section.pictures
    assert not section.notes
    assert "toofewpeople" in in_pdf(shown, "en")


@pytest.mark.parametrize(("k", "is_confirmed", "once"), [(30, True, "15."), (34, False, "15, 30, 50.")])
def test_what_passed_only_at_first_is_named_beside_what_was_found_then(k: int, is_confirmed: bool, once: str) -> None:
    passes = {10: False, 15: True, 30: True, 50: True}
    points = tuple(
        Point(each, 0.52, 0.5, 0.54, 0.95, Verdict.PASS if passed else Verdict.REVIEW)
        for each, passed in passes.items()
    )
    again = tuple(
        Point(each, 0.561, 0.54, 0.58, 0.94, Verdict.PASS if each == k else Verdict.REVIEW)
        for each, passed in passes.items()
        if passed and (each <= k or not is_confirmed)
    )
    shown = replace(report(), choice=Choice(k, is_confirmed, points, 0.94, "", again).to_dict())
    section = write_page(shown, words_of("en")).choice
    assert section is not None
    assert section.notes[0].endswith(f"anew: {once}")
    assert {row.k: row.again.auc for row in section.rows} == {
        str(each): "0.561" if each in {point.k for point in again} else "" for each in passes
    }
    assert [row.k for row in section.rows if row.is_taken] == ["30"] * is_confirmed
    # Marks tell by their form which passed, and when.
    for axes, value in zip(shown.figure("choice").axes, (0.52, 0.95), strict=True):
        marks = [line for line in drawn(axes) if len(line[0]) == 1]
        assert {int(x[0]): is_full for x, y, is_full in marks if y == [value]} == passes
        assert [is_full for _, y, is_full in marks if y != [value]] == [
            point.verdict is Verdict.PASS for point in again
        ]
    for text in (without_spaces(shown.html("en")), in_pdf(shown, "en")):
        assert text.count("0.561") == len(again)
