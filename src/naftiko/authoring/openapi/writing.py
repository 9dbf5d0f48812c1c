"""An API as a capability: what it consumes, a REST adapter and an MCP adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from naftiko.authoring import naming, wording
from naftiko.authoring.dialects import Dialect
from naftiko.authoring.openapi.consuming import Consuming
from naftiko.authoring.openapi.exposing import Routes, Tools
from naftiko.authoring.openapi.inputs import inputs
from naftiko.authoring.openapi.model import Api, Operation
from naftiko.authoring.openapi.schemas import Shapes


@dataclass(frozen=True, slots=True)
class Options:
    """How a capability is written. `namespace` and `base_uri` take the place of what the document says."""

    dialect: Dialect
    namespace: str | None = None
    base_uri: str | None = None
    max_tools: int | None = None
    is_typed: bool = True
    has_responses: bool = True


class Writer:
    """Writes one capability. Names are given in the order of the document, so that they stay the same."""

    def __init__(self, api: Api, shapes: Shapes, options: Options, title: str = "") -> None:
        self._api = api
        self._shapes = shapes
        self._dialect = options.dialect
        self._title = wording.sentence(title or api.title or "API", 100)
        self.namespace = options.namespace or naming.kebab(_without_api(self._title), "api", 40)
        if self.namespace == "env":  # that of the variables
            self.namespace = "env-api"
        self._consuming = Consuming(api, options.dialect, self.namespace, options.base_uri)
        self._routes = Routes(api, shapes, options.dialect, has_responses=options.has_responses)
        self._tools = Tools(shapes, options.dialect, options.max_tools, is_typed=options.is_typed)

    @property
    def variables(self) -> dict[str, str]:
        """Variables that an operator sets, and what each is."""
        return self._consuming.variables

    def written(self, operations: Sequence[Operation]) -> dict[str, Any]:
        """The capability of some operations."""
        for operation in operations:
            namespace = self._consuming.namespace(operation)
            found = inputs(operation, self._shapes, set(namespace.access.inputs))
            name = self._consuming.add(namespace, operation, found)
            call = f"{namespace.name}.{name}"
            self._routes.add(operation, name, call, found)
            self._tools.add(operation, name, call, found)
        return self._document()

    def _document(self) -> dict[str, Any]:
        dialect, api = self._dialect, self._api
        about = wording.plain(api.description, 1000) or f"{self._title}, as REST and as tools for agents"
        info: dict[str, Any] = {dialect.display: self._title, "description": about}
        if api.version and not dialect.has_lists:
            info["version"] = api.version
        used = sorted({tag for operation in api.operations for tag in operation.tags})
        if 0 < len(used) <= 12:
            info["tags"] = used
        document: dict[str, Any] = {dialect.key: dialect.version, "info": info}
        if self.variables:
            keys = {name: name for name in self.variables}
            document["binds"] = [{"namespace": "env", "description": "What the API asks for", "keys": keys}]
        document["capability"] = {
            "consumes": self._consuming.written(wording.sentence(api.description, 200) or self._title),
            "exposes": self._exposes(about),
        }
        return document

    def _exposes(self, about: str) -> list[dict[str, Any]]:
        rest = {
            "type": "rest",
            "namespace": f"{self.namespace}-rest",
            "port": 8080,
            "resources": self._routes.written(),
        }
        tools = self._tools.written()
        mcp = {
            "type": "mcp",
            "namespace": f"{self.namespace}-mcp",
            "port": 9090,
            "description": wording.sentence(about, 300),
            "tools": tools,
        }
        return [rest, *([mcp] if tools else [])]


def _without_api(title: str) -> str:
    """A title without the words that every API's has."""
    kept = [word for word in naming.words(title) if word not in ("api", "apis", "rest", "openapi", "swagger", "http")]
    return " ".join(kept) or title
