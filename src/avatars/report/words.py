"""What a report says, in each language: one catalogue of sentences a language, in ``languages/``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Any
from unicodedata import category

from avatars.engine.parameters import one_of
from avatars.evaluation.catalogue import DEFINITIONS
from avatars.evaluation.wording import Said
from avatars.report.small_counts import FEWEST

LANGUAGES = ("en", "fr")
DEFAULT_LANGUAGE = "en"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_OF_PEOPLE = ("rows", "people", "members", "others")
"""What a sentence of the evaluation calls numbers of them."""
_SHORT = 3
"""Significant digits of a figure."""


def words_of(language: str) -> Words:
    """Return the words of a language; raises ``InvalidParameter`` where there are none."""
    one_of("language of a report", language, LANGUAGES)
    return _load(language)


@functools.cache
def _load(language: str) -> Words:
    text = (files("avatars.report") / "languages" / f"{language}.toml").read_text(encoding="utf-8")
    catalogue = tomllib.loads(text)
    return Words(language, _kept_together(catalogue) if language == "fr" else catalogue)


def _kept_together(catalogue: Any) -> Any:
    """Return French sentences such that no line begins with one of their marks; the English ones are keys."""
    if isinstance(catalogue, dict):
        return {name: _kept_together(each) for name, each in catalogue.items()}
    return re.sub(" ([;:?!%])", "\N{NO-BREAK SPACE}\\1", catalogue) if isinstance(catalogue, str) else catalogue


class Words:
    """The sentences of one language, and how it writes numbers.

    Parameters
    ----------
    language
        As in ``LANGUAGES``.
    catalogue
        Sentences, by section and name.
    """

    def __init__(self, language: str, catalogue: dict[str, Any]) -> None:
        self.language = language
        self.catalogue = catalogue

    def __call__(self, key: str, **arguments: object) -> str:
        """Return the sentence ``section.name``, with what its names stand for."""
        section, _, name = key.rpartition(".")
        sentence: str = self._section(section)[name]
        return sentence.format(**arguments) if arguments else sentence

    def knows(self, key: str) -> bool:
        """Return whether there is such a sentence."""
        section, _, name = key.rpartition(".")
        return name in self._section(section)

    def _section(self, section: str) -> dict[str, Any]:
        found = self.catalogue
        for part in section.split("."):
            found = found.get(part, {})
        return found

    def said(self, sentence: str) -> str:
        """Return a sentence of the evaluation in this language; in English where it has no other."""
        if not isinstance(sentence, Said):
            return str(sentence)
        template = self.catalogue.get("said", {}).get(sentence.template, sentence.template)
        arguments = {name: self._argument(name, value) for name, value in sentence.arguments.items()}
        return str(template.format(**arguments))

    def _argument(self, name: str, value: object) -> object:
        match value:
            case Said():
                return self.said(value)
            case list() | tuple():
                return ", ".join(format(self._argument(name, each)) for each in value)
            case bool() | str():
                return value
            case int():
                return _Whole(self.count(value) if name in _OF_PEOPLE else self.whole(value))
            case float():
                return _Written(value, self("format.decimal"))
            case _:
                return value

    def metric(self, name: str, what: str, **arguments: object) -> str:
        """Return the plain words about a metric: ``title``, ``says``, ``limits`` or ``attacker``.

        One that the catalogue does not know has its name for a title, and no more.
        """
        if self.knows(f"metric.{name}.{what}"):
            return self(f"metric.{name}.{what}", **arguments)
        if what == "attacker" and name in DEFINITIONS:
            return DEFINITIONS[name].attacker or ""
        return name if what == "title" else ""

    def value(self, name: str, value: float) -> str:
        """Return a metric's value as it is written, with its unit."""
        return self.percent(value) if self.metric(name, "unit") == "%" else self.number(value)

    def number(self, value: float, *, padded: bool = False) -> str:
        """Return a figure, to three digits that count or to its whole digits; padded, with zeros up to three."""
        if value == 0:
            return "0"
        size = abs(value)
        if size >= 1e9 or size < 1e-3:
            figure, power = f"{value:.{_SHORT - 1}e}".split("e")
            written = f"{float(figure):g}".replace(".", self("format.decimal"))
            return _signed(f"{written}×10{str(int(power)).translate(_RAISED)}")
        if size >= 10 ** (_SHORT - 1):
            return self.whole(round(value))
        written = f"{value:#.{_SHORT}g}".removesuffix(".") if padded else f"{value:.{_SHORT}g}"
        return _signed(written.replace(".", self("format.decimal")))

    def thousandths(self, value: float) -> str:
        """Return a share, a chance or a distance to three places, for columns that are read downwards."""
        written = "< 0.001" if 0 < value < 0.0005 else f"{value:.3f}"
        return _signed(written.replace(".", self("format.decimal")).replace(" ", "\N{NO-BREAK SPACE}"))

    def percent(self, value: float) -> str:
        """Return a percentage, to a tenth; what is nearly all is not written as all."""
        written = f"{min(value, 99.99):.2f}" if 99.95 <= value < 100 else f"{value:.1f}"
        written = written.removesuffix(".0").replace(".", self("format.decimal"))
        return self("format.percent", number=_signed(written))

    def share(self, share: float) -> str:
        """Return a share, 0 to 1, as a percentage."""
        return self.percent(100.0 * share)

    def whole(self, value: int) -> str:
        """Return a whole number."""
        return _signed(f"{value:,}".replace(",", self("format.thousands")))

    def count(self, value: int | None) -> str:
        """Return a number of people, or that they are few: None, or below five."""
        return self("format.few", fewest=FEWEST) if value is None or 0 < value < FEWEST else self.whole(value)

    def day(self, day: date) -> str:
        """Return a date."""
        months = self._section("format")["months"]
        return self("format.date", day=day.day, month=months[day.month - 1], year=day.year)

    def named(self, names: Iterable[str], most: int) -> str:
        """Return names in a row, the first ones of many."""
        known = [printable(name) for name in names]
        said = ", ".join(known[:most])
        return said if len(known) <= most else f"{said} {self('format.and_more', count=len(known) - most)}"


class _Whole(str):
    """A whole number that is written already, however a sentence would format it."""

    __slots__ = ()

    def __format__(self, how: str) -> str:
        return str(self)


class _Written(float):
    """A number that a sentence formats as it likes, with this language's mark."""

    def __new__(cls, value: float, mark: str) -> _Written:
        number = super().__new__(cls, value)
        number._mark = mark
        return number

    _mark: str

    def __format__(self, how: str) -> str:
        return _signed(super().__format__(how).replace(".", self._mark))


def _signed(written: str) -> str:
    return written.replace("-", "−")


def clean(text: str) -> str:
    """Return text without what cannot be printed; spaces of all widths can."""
    return "".join(
        character if character.isprintable() or category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def sentence(text: str) -> str:
    """Return text with a capital at its beginning and a mark at its end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.!?…' else '.'}" if text else ""


def printable(name: str) -> str:
    """Return somebody's name for something, cleaned; long ones shortened."""
    shown = clean(name)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
