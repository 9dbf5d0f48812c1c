"""An API as an OpenAPI document describes it, whatever its version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.authoring.openapi.schemas import Shape
from naftiko.authoring.openapi.views import View

Requirement = tuple[str, ...]
"""Names of security schemes that are needed together; none at all where anybody may call."""


@dataclass(slots=True)
class Parameter:
    """A parameter of an operation. `style` and `is_exploded` are those of OpenAPI 3 (section 4.8.12.2)."""

    name: str
    place: str
    is_required: bool
    shape: Shape
    description: str
    style: str
    is_exploded: bool
    view: View
    is_json: bool = False


@dataclass(slots=True)
class Body:
    """A request body, in the media type that was chosen of those there are.

    `is_optional` is said of one that a document calls so; most that do not say are needed all the same, where members
    are required.
    """

    media_type: str
    shape: Shape
    is_required: bool
    description: str
    view: View
    encodings: Mapping[str, View] = field(default_factory=dict)
    is_optional: bool = False


@dataclass(slots=True)
class Answer:
    """What an operation answers with a status; `content` has the schemas by media type, `examples` whole answers."""

    status: str
    description: str
    content: Mapping[str, View]
    examples: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Server:
    """Where operations are. `url` has no placeholder left but those of `unset`, which an operator sets."""

    url: str
    unset: tuple[str, ...] = ()


@dataclass(slots=True)
class Operation:
    """One operation. `security` are the ways to be let in, any of which will do."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    tags: tuple[str, ...]
    parameters: list[Parameter]
    body: Body | None
    answers: list[Answer]
    security: tuple[Requirement, ...]
    server: Server
    view: View
    is_deprecated: bool = False


@dataclass(slots=True)
class Scheme:
    """A security scheme: `kind` is basic, bearer, digest, apikey, token (which is fetched elsewhere), or empty."""

    name: str
    kind: str
    key: str
    place: str
    description: str
    view: View


@dataclass(slots=True)
class Api:
    """A whole document."""

    title: str
    description: str
    version: str
    operations: list[Operation]
    schemes: Mapping[str, Scheme]
    tags: Mapping[str, str]
    root: View
