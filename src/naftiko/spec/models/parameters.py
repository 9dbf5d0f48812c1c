"""Inputs and outputs, of consumed and of exposed operations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from naftiko.spec.models.base import Json, Model, Text

ValueType = Literal["string", "number", "integer", "boolean", "array", "object"]
ConsumedPlace = Literal["query", "header", "path", "cookie", "body", "environment"]
ExposedPlace = Literal["query", "header", "path", "cookie", "body"]


class InputParameter(Model):
    """What a consumed and an exposed input have in common. The JSON Schema keywords travel into tool schemas."""

    name: Text
    type: ValueType | None = None
    description: Text | None = None
    label: Text | None = None
    required: bool | None = None
    value: Json = None
    default: Json = None
    pattern: Text | None = None
    format: Text | None = None
    enum: tuple[Json, ...] | None = None
    example: Json = None
    items: Json = None
    properties: Json = None


class ConsumedInput(InputParameter):
    in_: ConsumedPlace = Field(alias="in")


class EarlierValues(Model):
    """Where a client finds values to offer: in earlier answers of a tool or resource of the same adapter. Ours."""

    from_: Text = Field(alias="from")
    value: Text


class ExposedInput(InputParameter):
    in_: ExposedPlace | None = Field(default=None, alias="in")
    completion: EarlierValues | None = None


class OutputParameter(Model):
    """A part of an answer: extracted (`value`, consumed side), mapped (`mapping`), or said outright (`value`)."""

    name: Text | None = None
    type: ValueType | None = None
    description: Text | None = None
    mapping: Text | None = None
    value: Json = None
    const: Json = None
    example: Json = None
    properties: dict[str, OutputParameter] | None = None
    items: OutputParameter | None = None
    values: OutputParameter | None = None
    maxLength: int | None = Field(default=None, ge=0)
