"""What every wire model shares."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, model_validator


class Request(BaseModel):
    """What a client sends. Fields that nobody knows are ignored: newer clients send more.

    ``null`` means "use the default", as an absent field does: old clients send every field.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", use_attribute_docstrings=True, defer_build=True)

    @model_validator(mode="wrap")
    @classmethod
    def _null_means_default(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return handler(data)


class Response(BaseModel):
    """What the server answers. Clients ignore fields that they do not know."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", use_attribute_docstrings=True, defer_build=True)
