"""Attribute docstrings as the descriptions of fields, for the OpenAPI schema and the pages made of it.

pydantic reads them where a class is made, if it is told to: a sixth of the time in which the client is imported, which
has no use for them. Here they are read when somebody asks.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from avatars.models.base import Request, Response


def describe_wire_models() -> None:
    """Describe the fields of all models that client and server say to each other."""
    describe_fields(*_heirs(Request), *_heirs(Response))


def describe_fields(*models: type[BaseModel]) -> None:
    """Give the fields of models the words that stand below them."""
    for model in models:
        for owner in model.__mro__:
            for name, words in _docstrings(owner.__module__).get(owner.__qualname__, {}).items():
                field = model.model_fields.get(name)
                if field is not None and field.description is None:
                    field.description = words
        if model.__pydantic_complete__:
            # Used before, and so built without.
            model.model_rebuild(force=True)


def _heirs(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [heir for child in model.__subclasses__() for heir in (child, *_heirs(child))]


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Return class -> attribute -> the string that follows it; nothing of modules that are not ours."""
    if not module.startswith("avatars."):
        return {}
    classes = (
        node for node in ast.parse(inspect.getsource(sys.modules[module])).body if isinstance(node, ast.ClassDef)
    )
    return {node.name: dict(filter(None, map(_described, pairwise(node.body)))) for node in classes}


def _described(lines: tuple[Any, Any]) -> tuple[str, str] | None:
    match lines:
        case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
            return name, inspect.cleandoc(words)
    return None
