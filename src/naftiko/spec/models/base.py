"""What all models share."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator


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


class Open(BaseModel):
    """A piece of a kind that the specification does not have: all its keys are kept, for the extension that has it."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, defer_build=True)


def kind_of(known: tuple[type[BaseModel], ...], default: str | None = None) -> Discriminator:
    """Tells the kind of a piece by its `type`: one of the models' own, else `OTHER`."""
    tags = {str(literal) for model in known for literal in get_args(model.model_fields["type"].annotation)}

    def tag(value: object) -> str | None:
        found = value.get("type", default) if isinstance(value, Mapping) else getattr(value, "type", default)
        return found if found is None or (isinstance(found, str) and found in tags) else OTHER

    return Discriminator(tag)


OTHER = "(other)"

Text = Annotated[str, BeforeValidator(_scalar_text)]
Json = Any
"""Any plain value of the document: a string, number, boolean, null, list or mapping."""
