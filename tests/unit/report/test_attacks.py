"""What attacks found is said in the language of the report: the gate's sentences too, and after the database."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from avatars.evaluation.assessment import Assessment
from avatars.evaluation.attacks.catalogue import FIGURES
from avatars.evaluation.attacks.figure import Figure, Verdict, not_run
from avatars.evaluation.attacks.membership import Exposure
from avatars.evaluation.gate import LIMITS, gate
from avatars.evaluation.wording import Said, said, said_again, sentences_in
from avatars.report.attacks import _row, attacks_section
from avatars.report.words import words_of
from avatars.server.jobs.measured import keep_assessment, recall_assessment


def found(value: float, rows: int = 2400, **more: float) -> Assessment:
    """An assessment in which every figure is this one."""
    figure = Figure("nearest_auc", value, value - 0.01, value + 0.01, people=1200, others=1200, **more)  # type: ignore[arg-type]
    figures = [replace(figure, name=name, columns={"âge {0}": 0.6, "ville": 0.4}) for name in LIMITS]
    figures.append(not_run("distance_ratio", said("most fresh people have the record of a member")))
    return gate(
        [*figures, replace(figure, name="linkage_nearest", others=0)],
        Exposure(1200, 17, 12, {}),
        about="made up",
        rows=rows,
        members=1200,
        others=1200,
        thoroughness="thorough",
        raise_k=said("Raise k (it is {k}).", k=10),
        remarks=[said("k was lowered to {k}: there are no more neighbours in half of the table.", k=10)],
    )


@pytest.mark.parametrize("value", [0.9, 0.06, 0.0])
def test_what_the_gate_says_is_english_text_and_has_its_french(value: float) -> None:
    assessment = found(value, null=0.9 if value == 0.06 else 0.5)
    sentences = [*assessment.reasons, *assessment.advice, *assessment.remarks]
    french = words_of("fr").catalogue["said"]
    for sentence in sentences:
        assert isinstance(sentence, Said)
        assert "{" not in sentence.replace("{0}", "")
        assert sentence.template in french
    kept = keep_assessment(assessment)
    assert pickle.dumps(kept) == pickle.dumps(json.loads(json.dumps(kept)))
    # Old clients read plain sentences.
    assert kept["reasons"] == list(assessment.reasons)
    recalled = recall_assessment(kept)
    assert recalled is not None
    for shown in (assessment.to_dict(), recalled):
        section = attacks_section(shown, words_of("fr"))
        assert section.said == tuple(map(words_of("fr").said, sentences))
        assert section == attacks_section(pickle.loads(pickle.dumps(shown)), words_of("fr"))
        text = " ".join([*section.said, *section.not_run, *(f"{row.says} {row.attacker}" for row in section.rows)])
        assert not {"the", "of", "is", "attacker"} & set(text.split())


def test_a_figure_is_in_the_sentence_as_the_language_writes_it() -> None:
    section = attacks_section(found(0.9).to_dict(), words_of("fr"))
    assert section.said[0].startswith("BLOCK, appartenance\N{NO-BREAK SPACE}: nearest_auc vaut 0,900 (de 0,890 à 0,910")
    assert "sur 1\u202f200 face à 1\u202f200" in section.said[0]
    assert section.said[0].endswith("Surtout par âge {0} (60\N{NO-BREAK SPACE}%), ville (40\N{NO-BREAK SPACE}%).")
    assert any("face au hasard" in sentence for sentence in section.said)


def test_what_an_older_platform_kept_is_said_as_it_was() -> None:
    kept = json.loads(json.dumps(found(0.9).to_dict()))
    section = attacks_section(recall_assessment(kept), words_of("fr"))
    assert section.said == (*kept["reasons"], *kept["advice"], *kept["remarks"])


def test_sentences_in_sentences_come_back_whole() -> None:
    inner = said("{people:,} people were measured: {needed:,} are needed", people=1100, needed=1200)
    outer = said("Not judged: {names}: {reason}.", names=["isolated_auc", "shadow_auc"], reason=inner)
    assert outer == "Not judged: isolated_auc, shadow_auc: 1,100 people were measured: 1,200 are needed."
    values = {"reasons": [outer, "plain"], "none": None, "share": 0.5}
    again = said_again(json.loads(json.dumps(values)), json.loads(json.dumps(sentences_in(values))))
    assert again == values
    assert words_of("fr").said(again["reasons"][0]) == words_of("fr").said(outer) != outer
    assert words_of("en").said(again["reasons"][1]) == "plain"


def test_few_people_are_not_counted_in_sentences() -> None:
    few = said("the table has {rows:,} rows: attacks need {needed}, and a verdict more", rows=3, needed=40)
    assert words_of("en").said(few).startswith("the table has fewer than 5 rows")


def test_every_figure_is_explained_by_sentences() -> None:
    for definition in FIGURES.values():
        assert all(isinstance(part, Said) for part in definition)
    assert found(0.9).verdict is Verdict.BLOCK


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_left_of_the_statistics_is_no_attack(language: str) -> None:
    words = words_of(language)
    found = {"name": "bivariate_accuracy", "value": 0.957, "null": 0.939, "low": None, "high": None, "verdict": "PASS"}
    about = FIGURES["bivariate_accuracy"]._asdict()
    row = _row({**found, **about, "columns": {}, "reason": None}, words)
    assert row.attacker == ""
    assert row.beside == words("attacks.beside_utility", value=words.thousandths(0.939))
