"""The documentation of the routes as one plain page: no scripts, nothing from other machines."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc } h3 { margin: 2rem 0 .3rem; font: 600 1rem monospace }
h3 b { color: #0072b2; text-transform: uppercase } code, td:first-child { font-family: monospace }
table { border-collapse: collapse; margin: .5rem 0 } td, th { text-align: left; vertical-align: top;
padding: .15rem 1rem .15rem 0 } a { color: #0072b2 }
"""


@router.get("/docs", response_class=HTMLResponse)
def get_docs(request: Request) -> HTMLResponse:
    """Show every route."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
    return HTMLResponse(page(request.app.openapi()), headers=headers)


def page(openapi: dict[str, Any]) -> str:
    """Write the page of an OpenAPI document."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            by_tag.setdefault(route.get("tags", ["other"])[0], []).append(_route(method, path, route))
    parts = [f"<h2>{escape(tag)}</h2>{''.join(routes)}" for tag, routes in by_tag.items()]
    models = [_model(name, schema) for name, schema in sorted(openapi["components"]["schemas"].items())]
    title = escape(f"{openapi['info']['title']} {openapi['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>The same for programs: <a href='openapi.json'>openapi.json</a>.</p>"
        f"{''.join(parts)}<h2>Models</h2>{''.join(models)}</html>"
    )


def _route(method: str, path: str, route: dict[str, Any]) -> str:
    rows = [
        (each["name"], each["in"], _type(each["schema"]), each.get("required", False))
        for each in route.get("parameters", [])
    ]
    body = route.get("requestBody", {}).get("content", {})
    rows += [("body", media, _type(content.get("schema", {})), True) for media, content in body.items()]
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td><td>{_answer(answer)}</td></tr>"
        for status, answer in route["responses"].items()
    )
    login = "" if "security" in route else " <i>No login needed.</i>"
    return (
        f"<h3><b>{escape(method)}</b> {escape(path)}</h3><p>{escape(route.get('description', ''))}{login}</p>"
        f"<table>{''.join(map(_parameter, rows))}</table><table>{answers}</table>"
    )


def _parameter(row: tuple[str, str, str, bool]) -> str:
    name, place, type_, is_required = row
    needed = "required" if is_required else "optional"
    return f"<tr><td>{escape(name)}</td><td>{escape(place)}, {needed}</td><td>{type_}</td></tr>"


def _answer(answer: dict[str, Any]) -> str:
    contents = answer.get("content", {})
    return ", ".join(
        _type(content["schema"]) if content.get("schema") else escape(media) for media, content in contents.items()
    )


def _model(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td>{escape(field)}</td><td>{_type(about)}{'' if field in required else ', optional'}</td>"
        f"<td>{escape(about.get('description', ''))}</td></tr>"
        for field, about in schema.get("properties", {}).items()
    )
    values = ", ".join(escape(str(value)) for value in schema.get("enum", []))
    return (
        f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>'
        f"<p>{values}</p><table>{rows}</table>"
    )


def _type(schema: dict[str, Any]) -> str:
    """A type in words, with links to the models that it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(_type(each) for each in schema[union])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return escape(str(schema.get("format") or schema.get("type") or "any"))
