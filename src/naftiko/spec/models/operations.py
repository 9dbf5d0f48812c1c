"""What an exposed unit does: call an operation, run steps, refer to an aggregate's function, or answer a mock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from naftiko.spec.models.base import OTHER, Json, Model, Open, Text, kind_of
from naftiko.spec.models.parameters import ExposedInput, OutputParameter


class CallStep(Model):
    type: Literal["call"] = "call"
    name: Text
    call: Text
    with_: dict[str, Json] | None = Field(default=None, alias="with")


class LookupStep(Model):
    type: Literal["lookup"]
    name: Text
    index: Text
    match: Text
    lookupValue: Text
    outputParameters: tuple[Text, ...] = ()


class ScriptStep(Model):
    type: Literal["script"]
    name: Text
    language: Literal["javascript", "python", "groovy"] | None = None
    location: Text | None = None
    file: Text | None = None
    source: Text | None = None
    dependencies: tuple[Text, ...] | None = None
    with_: dict[str, Json] | None = Field(default=None, alias="with")


class OtherStep(Open):
    """A step of a kind that an extension has."""

    type: Text
    name: Text


STEPS = ("call", "lookup", "script")
"""The kinds of steps that the specification has."""

Step = Annotated[
    Annotated[CallStep, Tag("call")]
    | Annotated[LookupStep, Tag("lookup")]
    | Annotated[ScriptStep, Tag("script")]
    | Annotated[OtherStep, Tag(OTHER)],
    kind_of((CallStep, LookupStep, ScriptStep)),
]


class StepMapping(Model):
    targetName: Text
    value: Json = None


class Unit(Model):
    """The common body of a REST operation, an MCP tool, an MCP resource and an aggregate's function."""

    name: Text | None = None
    label: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    inputParameters: tuple[ExposedInput, ...] | None = None
    call: Text | None = None
    with_: dict[str, Json] | None = Field(default=None, alias="with")
    steps: tuple[Step, ...] | None = None
    mappings: tuple[StepMapping, ...] | None = None
    outputParameters: tuple[OutputParameter, ...] | None = None


class ToolHints(Model):
    """What a tool does to its surroundings."""

    readOnly: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    openWorld: bool | None = None


class Semantics(Model):
    safe: bool | None = None
    idempotent: bool | None = None
    cacheable: bool | None = None


class AggregateFunction(Unit):
    outputMediaType: Text | None = None
    semantics: Semantics | None = None


class Aggregate(Model):
    label: Text | None = None
    description: Text | None = None
    namespace: Text | None = None
    functions: tuple[AggregateFunction, ...] = ()
