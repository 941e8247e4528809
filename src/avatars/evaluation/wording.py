"""Sentences that know how they were made, so that a report can say them in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Said(str):
    """A sentence in English: plain text to whoever prints it.

    Attributes
    ----------
    template
        The sentence with names in braces, under which another language has its own.
    arguments
        What stands for the names: numbers, text, sentences, or tuples of these, which are said in a row.
    """

    __slots__ = ("arguments", "template")
    template: str
    arguments: dict[str, object]

    def __new__(cls, template: str, **arguments: object) -> Self:
        """Make the sentence."""
        sentence = super().__new__(cls, template.format(**{name: _plain(value) for name, value in arguments.items()}))
        sentence.template, sentence.arguments = template, arguments
        return sentence

    def __reduce__(self) -> tuple[object, ...]:
        """Be copied and sent to other processes with its parts."""
        return _again, (self.template, self.arguments)


def said(template: str, **arguments: object) -> Said:
    """Return a sentence; templates are written out where they are said, and tests look for each in each language."""
    return Said(template, **arguments)


def sentences_in(found: object) -> dict[str, Any]:
    """Return how each sentence in JSON values was made, by the sentence; JSON values themselves."""
    if isinstance(found, Said):
        return {str(found): _parts(found)}
    inner = found.values() if isinstance(found, Mapping) else found if isinstance(found, list | tuple) else ()
    return {sentence: parts for each in inner for sentence, parts in sentences_in(each).items()}


def said_again(found: Any, sentences: Mapping[str, Any]) -> Any:
    """Return JSON values with sentences that know how they were made; the way back from ``sentences_in``."""
    if isinstance(found, str):
        return _sentence(sentences[found]) if found in sentences else found
    if isinstance(found, Mapping):
        return {name: said_again(each, sentences) for name, each in found.items()}
    return [said_again(each, sentences) for each in found] if isinstance(found, list | tuple) else found


def _again(template: str, arguments: dict[str, object]) -> Said:
    return Said(template, **arguments)


def _plain(argument: object) -> object:
    return ", ".join(map(str, argument)) if isinstance(argument, list | tuple) else argument


def _parts(argument: object) -> Any:
    """Return a sentence as its template and arguments; of arguments, the same of those that are sentences."""
    if isinstance(argument, Said):
        return {"said": argument.template, **{name: _parts(each) for name, each in argument.arguments.items()}}
    return [_parts(each) for each in argument] if isinstance(argument, list | tuple) else argument


def _sentence(parts: Any) -> Any:
    if isinstance(parts, Mapping):
        arguments = dict(parts)
        return Said(arguments.pop("said"), **{name: _sentence(each) for name, each in arguments.items()})
    return [_sentence(each) for each in parts] if isinstance(parts, list | tuple) else parts
