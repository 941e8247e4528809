"""Every sentence in every language, with the same names in braces."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest

import avatars
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import Method
from avatars.evaluation.attacks.catalogue import FIGURES
from avatars.evaluation.attacks.figure import Verdict
from avatars.evaluation.catalogue import DEFINITIONS
from avatars.evaluation.wording import said
from avatars.report.words import LANGUAGES, printable, words_of

SOURCES = Path(avatars.__file__).parent


def catalogue(language: str) -> dict[str, Any]:
    text = (files("avatars.report") / "languages" / f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def flat(part: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from flat(value, (*above, name))
        else:
            yield (*above, name), value


def names_in(sentence: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)", sentence))


def templates() -> set[str]:
    """What the evaluation says: the first argument of each call of ``said``."""
    calls = [
        node
        for path in (SOURCES / "evaluation").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said"
    ]
    return {ast.literal_eval(call.args[0]) for call in calls}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_sentences_of_english(language: str) -> None:
    english = dict(flat({name: part for name, part in catalogue("en").items() if name != "said"}))
    other = dict(flat({name: part for name, part in catalogue(language).items() if name != "said"}))
    # What an attacker does is in the evaluation's own words in English.
    extra = {key for key in other if (key[0], key[-1]) == ("metric", "attacker")}
    assert set(other) - extra == set(english) - extra
    for key, sentence in english.items():
        if isinstance(sentence, str):
            assert names_in(other[key]) == names_in(sentence), key
            assert (key[0] == "format" or other[key].strip() != "") or sentence == "", key


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_the_evaluation_says_has_its_translation_and_nothing_is_left_over(language: str) -> None:
    translated = catalogue(language)["said"]
    assert set(translated) == templates()
    for english, other in translated.items():
        assert names_in(english) == names_in(other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_metric_and_method_is_explained(language: str) -> None:
    words = words_of(language)
    for name, definition in DEFINITIONS.items():
        assert all(words.metric(name, what, value="1") for what in ("title", "says", "limits"))
        if definition.attacker:
            assert words.metric(name, "attacker")
    for name in FIGURES:
        assert words.knows(f"attack.{name}.title")
    for verdict in Verdict:
        assert words.knows(f"attacks.verdict_{verdict}")
        assert words.knows(f"attacks.verdict_{verdict}_says")
    for method in get_args(Method):
        assert words.knows(f"facts.method_{method}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_gives_the_verdict_that_nobody_can_give(language: str) -> None:
    for key, sentence in flat(catalogue(language)):
        assert "anonym" not in str(sentence).lower(), key


def test_numbers_are_written_as_the_language_does() -> None:
    english, french = words_of("en"), words_of("fr")
    assert (english.number(0.5), french.number(0.5)) == ("0.5", "0,5")
    assert (english.whole(12345), french.whole(12345)) == ("12,345", "12\u202f345")
    assert (english.percent(91.25).split(), french.percent(91.25)) == (["91.2", "%"], "91,2\N{NO-BREAK SPACE}%")
    assert (english.number(-3.0), english.number(0.00012), english.number(1234.5)) == ("−3", "1.2×10⁻⁴", "1,234")
    # Nearly all is not all.
    assert english.percent(99.996).split() == ["99.99", "%"]
    assert english.day(date(2026, 3, 1)).endswith("2026")
    assert french.day(date(2026, 3, 1)) == "1 mars 2026"


def test_few_people_are_not_counted() -> None:
    words = words_of("en")
    assert words.count(4) == words.count(None) == "fewer than 5"
    assert (words.count(5), words.count(0)) == ("5", "0")


def test_a_sentence_is_said_again_in_another_language() -> None:
    sentence = said("held-out people ({rows} rows)", rows=1200)
    assert sentence == "held-out people (1200 rows)"
    assert words_of("fr").said(sentence) == "personnes mises à part (1\u202f200 lignes)"
    assert words_of("fr").said("what nobody translated") == "what nobody translated"


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="language of a report"):
        words_of("de")


def test_a_name_is_shown_without_what_would_move_the_page() -> None:
    assert printable("a\nb\u202e") == "a\ufffdb\ufffd"
    assert len(printable("x" * 1000)) == 80
