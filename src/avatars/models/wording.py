"""What is wrong with a field, in plain words and without the value that was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# By pydantic's error type; `{name}` is filled in from the error's context, which holds our limits and
# allowed values, never the value that was sent.
_SENTENCES = {
    "missing": "field required",
    "json_invalid": "the body is not valid JSON",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "uuid_type": "must be an id (UUID)",
    "uuid_parsing": "must be an id (UUID)",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "is_instance_of": "must be a {class}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
}


def plain_words(error: Mapping[str, Any]) -> dict[str, Any]:
    """One item of a 422 answer: where (``loc``), what (``msg``) and pydantic's name of it (``type``).

    Pydantic's own text is not passed on, because for some types it quotes the input; the text of our own
    validators (``value_error``) is.
    """
    kind = str(error["type"])
    context = error.get("ctx", {})
    if kind == "value_error":
        message = str(context.get("error", "is not valid"))
    else:
        message = _SENTENCES.get(kind, "is not valid").format_map(context)
        # A literal that is an enum's member is shown as its value.
        message = re.sub(r"<\w+\.\w+: ('[^']*')>", r"\1", message)
    return {"loc": list(error["loc"]), "msg": message, "type": kind}
