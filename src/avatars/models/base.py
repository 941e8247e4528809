"""What every wire model shares."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from avatars.models.wording import plain_words


class InvalidFields(ValueError):
    """A model was made with fields that cannot be used; one sentence says which and why, never their values."""


class Request(BaseModel):
    """What a client sends.

    In what arrives, fields that nobody knows are ignored: newer clients send more. A program that makes a model
    with one is told.

    ``null`` means "use the default", as an absent field does: old clients send every field.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", defer_build=True)

    def __init__(self, **fields: Any) -> None:
        for name in fields.keys() - type(self).model_fields.keys():
            raise InvalidFields(_unknown(type(self), name))
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidFields(_sentence(type(self).__name__, error)) from None

    # Without this mark pydantic would call __init__ for nested models and for what arrives over HTTP as well.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="wrap")
    @classmethod
    def _null_means_default(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return handler(data)


class Response(BaseModel):
    """What the server answers. Clients ignore fields that they do not know."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", defer_build=True)


def _unknown(model: type[BaseModel], name: str) -> str:
    known = sorted(model.model_fields)
    near = get_close_matches(name, known, n=1)
    return f"{model.__name__} has no field {name!r}: " + (
        f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}."
    )


def _sentence(model: str, error: ValidationError) -> str:
    items = [plain_words(item) for item in error.errors(include_url=False, include_input=False)]
    said = [": ".join(filter(None, (".".join(map(str, item["loc"])), item["msg"]))) for item in items]
    return f"{model}: {'; '.join(said)}."
