"""Write docs/api.md: which route each call of the client goes to, what it takes and gives, with every parameter.

    python tests/contract/api_page.py

The routes are not written down anywhere: each method is called, with made-up arguments, on a client whose requests end
here. ``test_client_api_page.py`` compares the page with what this makes of the code as it is, and each route with the
platform's own description of itself.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx2
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from avatars import models
from avatars.client import ApiClient
from avatars.errors import AvatarsError
from avatars.models.describing import describe_wire_models

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

RESOURCES = (
    "assessments", "auth", "compatibility", "datasets", "health", "jobs", "metrics", "pandas_integration", "pipelines",
    "reports", "stats", "users",
)  # fmt: skip

_ANY_ID = UUID(int=0)

# What a request is made of; the others are a text or an id.
_ARGUMENTS: dict[str, Any] = {
    "Login": models.Login(username="username", password="strong_password"),
    "ForgottenPasswordRequest": models.ForgottenPasswordRequest(email="ada@example.org"),
    "ResetPasswordRequest": models.ResetPasswordRequest(
        email="ada@example.org", new_password="x" * 12, new_password_repeated="x" * 12, token=_ANY_ID
    ),
    "PatchDataset": models.PatchDataset(columns=[]),
    "AvatarizationJobCreate": models.AvatarizationJobCreate(
        parameters=models.AvatarizationParameters(k=5, dataset_id=_ANY_ID)
    ),
    "PrivacyMetricsJobCreate": models.PrivacyMetricsJobCreate(
        parameters=models.PrivacyMetricsParameters(original_id=_ANY_ID, unshuffled_avatars_id=_ANY_ID)
    ),
    "SignalMetricsJobCreate": models.SignalMetricsJobCreate(
        parameters=models.SignalMetricsParameters(original_id=_ANY_ID, avatars_id=_ANY_ID)
    ),
    "ReportCreate": models.ReportCreate(job_id=_ANY_ID),
    "ReportFromDataCreate": models.ReportFromDataCreate(
        dataset_id=_ANY_ID, avatars_dataset_id=_ANY_ID, privacy_job_id=_ANY_ID, signal_job_id=_ANY_ID
    ),
    "CreateUser": models.CreateUser(username="ada"),
    "Source": b"a,b\n1,2\n",
}


@dataclass(frozen=True)
class Call:
    """One method of the client."""

    resource: str
    method: str
    function: Callable[..., Any]
    route: str
    """``POST /datasets``; empty for what is made of several calls."""

    @property
    def takes(self) -> list[str]:
        """The types of what must be given, as they are written."""
        return [
            str(parameter.annotation)
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name != "self" and parameter.default is inspect.Parameter.empty
        ]

    @property
    def gives(self) -> str:
        """The type that comes back, as it is written."""
        return str(inspect.signature(self.function).return_annotation)


def calls() -> list[Call]:
    """Return every method of every resource, in the order of the page."""
    return [
        Call(resource, name, function, "" if resource == "pipelines" else _route(resource, name))
        for resource in RESOURCES
        for name, function in _methods(resource)
    ]


def _methods(resource: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    with ApiClient("http://platform.test") as client:
        kind = type(getattr(client, resource))
    for name, function in vars(kind).items():
        # `download_into` is what two others are made of.
        if inspect.isfunction(function) and not name.startswith("_") and name != "download_into":
            yield name, function


def _route(resource: str, method: str) -> str:
    """Call a method and see where its first request goes."""
    seen: list[str] = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        for name, id in ids.items():
            path = path.replace(str(id), f"{{{name}}}")
        seen.append(f"{request.method} {path}")
        return httpx2.Response(400)

    with ApiClient("http://platform.test", transport=httpx2.MockTransport(platform)) as client:
        client._http.token = "made up"
        function = getattr(getattr(client, resource), method)
        arguments, ids = _arguments(function)
        with suppress(AvatarsError):
            function(**arguments)
    return seen[0]


def _arguments(function: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, object]]:
    arguments: dict[str, Any] = {}
    ids: dict[str, object] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self" or parameter.default is not inspect.Parameter.empty:
            continue
        annotation = str(parameter.annotation)
        if "UUID" in annotation or annotation == "str":
            arguments[name] = ids[name] = uuid5(_ANY_ID, name) if "UUID" in annotation else f"made-up-{name}"
        elif "DataFrame" in annotation:
            import pandas as pd

            arguments[name] = pd.DataFrame({"a": [1]})
        else:
            arguments[name] = _ARGUMENTS[annotation]
    return arguments, ids


# --- the page -------------------------------------------------------------------------------------------


def page() -> str:
    """Return the whole page."""
    describe_wire_models()
    found = calls()
    return "\n".join(
        [
            _HEAD,
            *_overview([call for call in found if call.route]),
            "\n## ApiClient",
            *_described(ApiClient),
            *(
                line
                for name in ("authenticate", "forgotten_password", "reset_password", "close")
                for line in _method(f"client.{name}", getattr(ApiClient, name))
            ),
            *(line for resource in RESOURCES for line in _resource(resource, found)),
            _MODELS,
            *(line for name in models.__all__ for line in _model(name, getattr(models, name))),
            "",
        ]
    )


_HEAD = """# The client, call by call

Made from the code by `python tests/contract/api_page.py`; a test compares the two.

Every call has a `timeout`: seconds that the platform may be silent, or, for the calls that wait for a job, seconds to
wait in all. What goes wrong is an [error of one tree](../src/avatars/errors.py).

## Routes
"""


_MODELS = """
## Models

The types of requests and answers, in `avatars.models`. A field without a default is required."""


def _overview(found: list[Call]) -> Iterator[str]:
    yield "| route | call | takes | gives |"
    yield "|---|---|---|---|"
    for call in sorted(found, key=lambda call: (call.route.split()[1], call.route, call.method)):
        takes = ", ".join(map(_linked, call.takes)) or "–"
        name = f"{call.resource}.{call.method}"
        yield f"| `{call.route}` | [`{name}`](#{_anchor(f'client.{name}')}) | {takes} | {_linked(call.gives)} |"


def _resource(resource: str, found: list[Call]) -> Iterator[str]:
    yield f"\n## client.{resource}"
    with ApiClient("http://platform.test") as client:
        yield from _described(type(getattr(client, resource)))
    for call in found:
        if call.resource == resource:
            yield from _method(f"client.{resource}.{call.method}", call.function, call.route)


def _method(name: str, function: Callable[..., Any], route: str = "") -> Iterator[str]:
    yield f"\n### {name}"
    signature = inspect.signature(function)
    parameters = [str(parameter) for name, parameter in signature.parameters.items() if name != "self"]
    keyword_only = [parameter.kind is parameter.KEYWORD_ONLY for parameter in signature.parameters.values()][1:]
    if True in keyword_only:
        parameters.insert(keyword_only.index(True), "*")
    written = f"{name.rpartition('.')[2]}({', '.join(parameters)}) -> {signature.return_annotation}"
    yield f"\n`{_plain(written)}`"
    if route:
        yield f"\n`{route}`"
    yield from _described(function)


def _described(documented: object) -> Iterator[str]:
    """Turn a docstring in numpy's style into Markdown."""
    text = inspect.getdoc(documented) or ""
    sections = re.split(r"^(\w+)\n-+$", text.replace("``", "`"), flags=re.MULTILINE)
    yield f"\n{re.sub(r'^::$', '', sections[0], flags=re.MULTILINE).strip()}"
    for title, body in zip(sections[1::2], sections[2::2], strict=True):
        yield f"\n{title}:\n"
        for term, explained in re.findall(r"^(\S.*)\n((?:(?:    .*)?(?:\n|\Z))*)", body.strip() + "\n", re.MULTILINE):
            said = " ".join(line.strip() for line in explained.strip().splitlines())
            yield f"- `{term}`: {said}"


def _model(name: str, model: Any) -> Iterator[str]:
    if model.__name__ != name:
        yield f"\n### {name}\n\nAnother name of [{model.__name__}](#{_anchor(model.__name__)})."
        return
    yield f"\n### {name}"
    yield from _described(model)
    if issubclass(model, Enum):
        yield "\n" + ", ".join(f"`{member.value}`" for member in model)
    elif issubclass(model, BaseModel):
        yield "\n| field | type | default | what it is |"
        yield "|---|---|---|---|"
        for field, about in model.model_fields.items():
            kind = _linked(_written(about.annotation)) + _bounds(about)
            yield f"| `{field}` | {kind} | {_default(about)} | {_said(about)} |"


def _written(annotation: Any) -> str:
    """Return a type as one writes it."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation.__name__
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f'"{getattr(value, "value", value)}"' for value in typing.get_args(annotation))
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(annotation)).replace("NoneType", "None")


_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "characters ≥", "max_length": "characters ≤"}


def _bounds(field: FieldInfo) -> str:
    said = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in _BOUNDS.items()
        if getattr(rule, name, None) is not None
    ]
    return f" {', '.join(said)}" if said else ""


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "" if field.default_factory is None else "its own"
    default = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{default!r}`" if default is not None else "none"


def _said(field: FieldInfo) -> str:
    return " ".join((field.description or "").replace("``", "`").split())


def _linked(annotation: str) -> str:
    """Return a type for a table, each of our models in it a link."""
    plain = re.sub(r"\blist\[(.*)\]", r"list of \1", _plain(annotation)).replace("|", "or")
    return re.sub(
        r"\w+", lambda word: f"[{word[0]}](#{_anchor(word[0])})" if word[0] in models.__all__ else word[0], plain
    )


def _plain(annotation: str) -> str:
    return re.sub(r"\b(?:models|pd)\.", "", annotation).replace("'", "")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is written.", file=sys.stderr)
