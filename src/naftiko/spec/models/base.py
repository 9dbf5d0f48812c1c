"""What all models share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Model(BaseModel):
    """A piece of the document: immutable, and an unknown key is an error, so that it can be reported."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


def _scalar_text(value: object) -> object:
    """A number or boolean where the specification asks for text means its own spelling."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return value


Text = Annotated[str, BeforeValidator(_scalar_text)]
Json = Any
"""Any plain value of the document: a string, number, boolean, null, list or mapping."""
