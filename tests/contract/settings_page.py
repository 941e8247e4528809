"""Write docs/settings.md: every setting of the platform, as the class ``Settings`` has it.

    python tests/contract/settings_page.py

``test_house.py`` compares the page with what this makes of the code as it is.
"""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from avatars.models.describing import describe_fields
from avatars.server.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = """# Settings

Each setting is an environment variable. An empty one counts as absent. Where `AVATARS_SECRETS_DIR` names a folder, a
file in it that is named like a variable holds its value, as systemd's `$CREDENTIALS_DIRECTORY` and containers' secrets
have it; a variable comes before a file, an option of the command before both. The platform does not start with a value
that cannot work, and says which and why; nor with a password that is a placeholder, such as `changeme`.

This page is made of the code by `python tests/contract/settings_page.py`. How they are used:
[running a platform](operate.md).

| variable | values | default | meaning |
|---|---|---|---|
"""

_TYPES: dict[Any, str] = {
    bool: "`true` or `false`",
    float: "number",
    int: "whole number",
    str: "text",
    Path: "path",
    SecretStr: "text, secret",
}


def page() -> str:
    """Make the page."""
    describe_fields(Settings)
    return _HEAD + "".join(
        f"| `AVATARS_{name.upper()}` | {_values(field)} | {_default(field)} | {_meaning(field)} |\n"
        for name, field in Settings.model_fields.items()
    )


def _values(field: FieldInfo) -> str:
    annotation = field.annotation
    if isinstance(annotation, types.UnionType):
        (annotation,) = (part for part in typing.get_args(annotation) if part is not type(None))
    if typing.get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    bounds = [_bound(each) for each in field.metadata]
    return ", ".join([_TYPES[annotation], *filter(None, bounds)])


def _bound(constraint: Any) -> str | None:
    words = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
    for name, said in words.items():
        if (value := getattr(constraint, name, None)) is not None:
            return said.format(value)
    return None


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "its own"
    return "none" if field.default in (None, "") else f"`{str(field.default).lower()}`"


def _meaning(field: FieldInfo) -> str:
    assert field.description is not None
    words = re.sub(r"\s+", " ", field.description).strip()
    return words.replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
