"""An API as a capability: what it consumes, a REST adapter and an MCP adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from naftiko.authoring import naming, wording
from naftiko.authoring.dialects import Dialect
from naftiko.authoring.openapi import names, outputs
from naftiko.authoring.openapi.access import Access, Accesses
from naftiko.authoring.openapi.inputs import Inputs, declared, inputs, sorted_by_place
from naftiko.authoring.openapi.model import Api, Operation, Server
from naftiko.authoring.openapi.schemas import Shapes

UNKNOWN = "https://set-the-base-uri.invalid"
"""Where requests would go of an API that does not say where it is."""

_HINTS: Mapping[str, Mapping[str, bool]] = {
    "GET": {"readOnly": True},
    "POST": {"readOnly": False, "destructive": False, "idempotent": False},
    "PUT": {"readOnly": False, "destructive": True, "idempotent": True},
    "PATCH": {"readOnly": False, "destructive": True, "idempotent": False},
    "DELETE": {"readOnly": False, "destructive": True, "idempotent": True},
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a capability is written. `namespace` and `base_uri` take the place of what the document says."""

    dialect: Dialect
    namespace: str | None = None
    base_uri: str | None = None
    max_tools: int | None = None
    is_typed: bool = True
    has_responses: bool = True


@dataclass(slots=True)
class _Consumed:
    """A consumed namespace: operations of one server that let callers in the same way."""

    namespace: str
    base_uri: str
    access: Access
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_path: dict[str, str] = field(default_factory=dict)
    names: naming.Names = field(default_factory=naming.Names)


class Writer:
    """Writes one capability. Names are given in the order of the document, so that they stay the same."""

    def __init__(self, api: Api, shapes: Shapes, options: Options, title: str = "") -> None:
        self._api = api
        self._shapes = shapes
        self._options = options
        self._dialect = options.dialect
        self._title = wording.sentence(title or api.title or "API", 100)
        self._namespace = options.namespace or naming.kebab(_without_api(self._title), "api", 40)
        self._accesses = Accesses(api.schemes, self._namespace)
        self._consumed: dict[tuple[str, str], _Consumed] = {}
        self._routes: dict[str, dict[str, Any]] = {}
        self._route_names = naming.Names()
        self._by_route: dict[str, str] = {}
        self._tools: dict[str, dict[str, Any]] = {}
        self._tool_names = naming.Names()
        self._left_tools: list[Operation] = []
        self.count = 0

    @property
    def variables(self) -> dict[str, str]:
        """Variables that an operator sets, and what each is."""
        found: dict[str, str] = {}
        for consumed in self._consumed.values():
            found |= consumed.access.variables
        return found

    def written(self, operations: Sequence[Operation]) -> dict[str, Any]:
        """The capability of some operations."""
        for operation in operations:
            self._add(operation)
        if self._left_tools:
            left = self._left_tools[0]
            left.view.left(
                f"{len(self._left_tools)} operations are no tools, since --max-tools is {self._options.max_tools}; "
                "they are routes all the same"
            )
        return self._document()

    # Operations

    def _add(self, operation: Operation) -> None:
        consumed = self._namespace_of(operation)
        found = inputs(operation, self._shapes, set(consumed.access.inputs))
        name = consumed.names.give(*names.wanted(operation))
        call = f"{consumed.namespace}.{name}"
        self._consume(consumed, operation, name, found)
        self._route(operation, name, call, found)
        if self._options.max_tools is None or len(self._tools) < self._options.max_tools:
            self._tool(operation, name, call, found)
        else:
            self._left_tools.append(operation)
        self.count += 1

    def _namespace_of(self, operation: Operation) -> _Consumed:
        access = self._accesses.of(operation.security)
        base_uri = self._base_uri(operation.server, operation)
        key = (base_uri, access.name)
        if key not in self._consumed:
            taken = naming.Names(item.namespace for item in self._consumed.values())
            wanted = [self._namespace, f"{self._namespace}-{access.name}"]
            self._consumed[key] = _Consumed(taken.give(*wanted), base_uri, access)
        return self._consumed[key]

    def _base_uri(self, server: Server, operation: Operation) -> str:
        if self._options.base_uri is not None:
            return self._options.base_uri
        url = server.url.rstrip("/")
        servers = self._api.root.get("servers")
        place = servers if servers else self._api.root
        if not url.startswith(("http://", "https://")) or "{{" in url or "$" in url or any(c.isspace() for c in url):
            said = f"says no more than `{server.url[:100]}` of" if server.url else "does not say"
            place.left(f"the document {said} where the API is", "set `baseUri:`, or import with --base-uri")
            path = url if url.startswith("/") and "{" not in url and "$" not in url else ""
            return UNKNOWN + path
        for name in server.unset:
            place.changed(
                f"`{{{name}}}` of the server is a variable: set it with --var {name}=..., or in the environment"
            )
        return url.partition("?")[0].partition("#")[0].rstrip("/")

    def _consume(self, consumed: _Consumed, operation: Operation, name: str, found: Inputs) -> None:
        key = found.path
        resource = consumed.by_path.get(key)
        if resource is None:
            resource = consumed.by_path[key] = naming.Names(consumed.resources).give(names.of_path(operation.path))
            about = wording.sentence(operation.view.string("x-resource-description"), 200) or f"`{operation.path}`"
            consumed.resources[resource] = {"path": found.path, "description": about, "operations": {}}
        answer = outputs.success(operation)
        form, accept = outputs.read_as(answer)
        if self._dialect.has_lists and form.get("outputRawFormat") == "binary":
            operation.view.changed("bytes are a word of newer versions: `validate --strict` says so")
        inputs_: dict[str, dict[str, Any]] = {wire: dict(item) for wire, item in found.consumed.items()}
        if self._dialect.is_extended:
            self._extend(inputs_, found)
        if accept is not None and "Accept" not in inputs_:
            inputs_["Accept"] = {"in": "header", "value": accept}
        entry: dict[str, Any] = {"method": operation.method}
        if operation.summary and not self._dialect.has_lists:
            entry["display"] = wording.sentence(operation.summary, 80)
        entry["description"] = self._whole(operation)
        if operation.tags and not self._dialect.has_lists:
            entry["tags"] = list(operation.tags)
        if inputs_:
            entry["inputParameters"] = self._dialect.named(inputs_)
        if found.block is not None:
            entry["body"] = found.block
        consumed.resources[resource]["operations"][name] = entry | form

    def _extend(self, consumed: dict[str, dict[str, Any]], found: Inputs) -> None:
        """Types and descriptions beside where each goes: more than the specification has for consumed inputs."""
        asked = {item.name: item for item in found.asked}
        for wire, entry in consumed.items():
            item = asked.get(found.given.get(wire, wire))
            if item is not None and "value" not in entry:
                entry.update(declared(item, self._shapes, self._dialect))
                if item.is_required and item.place != "path":
                    entry["required"] = True

    # Adapters

    def _route(self, operation: Operation, name: str, call: str, found: Inputs) -> None:
        key = _pattern(found.route)
        resource = self._by_route.get(key)
        if resource is None:
            resource = self._by_route[key] = self._route_names.give(names.of_path(operation.path))
            self._routes[resource] = {"path": found.route, "description": f"`{found.route}`", "operations": {}}
        entry = self._routes[resource]
        if any(item["method"] == operation.method for item in entry["operations"].values()):
            operation.view.left(
                f"{operation.method} {operation.path} is no route: another one has this method and path"
            )
            return
        renamed = dict(zip(_holes(found.route), _holes(entry["path"]), strict=True))
        declared_ = {}
        for asked in sorted_by_place(found.asked):
            item = {"in": asked.place, **declared(asked, self._shapes, self._dialect)}
            if self._dialect.is_extended and asked.is_required and asked.place != "path":
                item["required"] = True
            declared_[renamed.get(asked.name, asked.name) if asked.place == "path" else asked.name] = item
        given = {wire: f"rest.{name}" for wire, name in found.given.items()}
        given |= {old: f"rest.{new}" for old, new in renamed.items() if old != new}
        route: dict[str, Any] = {"method": operation.method}
        if operation.summary:
            route[self._dialect.display] = wording.sentence(operation.summary, 80)
        route["description"] = self._whole(operation)
        route["call"] = call
        if declared_:
            route["inputParameters"] = self._dialect.named(declared_)
        if given:
            route["with"] = given
        if self._options.has_responses and not self._dialect.has_lists:
            responses = outputs.responses(operation, self._shapes)
            if responses:
                route["responses"] = responses
        entry["operations"][naming.Names(entry["operations"]).give(name)] = route

    def _tool(self, operation: Operation, name: str, call: str, found: Inputs) -> None:
        title = self._tool_names.give(naming.cut(name, naming.LONGEST))
        tool: dict[str, Any] = {}
        if operation.summary:
            tool[self._dialect.display] = wording.sentence(operation.summary, 80)
        tool["description"] = self._short(operation)
        if operation.tags and not self._dialect.has_lists:
            tool["tags"] = list(operation.tags)
        tool["call"] = call
        tool["hints"] = dict(_HINTS[operation.method])
        declared_ = {}
        for asked in sorted_by_place(found.asked):
            item = declared(asked, self._shapes, self._dialect)
            if not asked.is_required:
                item["required"] = False
            declared_[asked.name] = item
        if declared_:
            tool["inputParameters"] = self._dialect.named(declared_)
        if found.given:
            tool["with"] = {wire: f"tools.{given}" for wire, given in found.given.items()}
        shaped = outputs.shaped(outputs.success(operation), self._shapes) if self._options.is_typed else None
        if shaped is not None:
            tool["outputParameters"] = shaped
        self._tools[title] = tool

    def _short(self, operation: Operation) -> str:
        """What a tool does, for models."""
        text = wording.sentence(operation.summary or operation.description, 200)
        more = wording.sentence(operation.description, 200)
        if operation.summary and more and more.rstrip(".").lower() != text.rstrip(".").lower():
            text = f"{text.rstrip('.')}. {more}" if len(text) + len(more) < 240 else text
        text = text or f"{operation.method} {operation.path}"
        return f"Deprecated. {text}" if operation.is_deprecated else text

    def _whole(self, operation: Operation) -> str:
        """What an operation does, for people."""
        text = wording.plain(operation.description) or wording.sentence(operation.summary, 500)
        text = text or f"{operation.method} {operation.path}"
        return f"Deprecated. {text}" if operation.is_deprecated else text

    # The whole

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
            keys = dict.fromkeys(self.variables)
            bind = {"namespace": "env", "description": "What the API asks for", "keys": {name: name for name in keys}}
            document["binds"] = [bind]
        document["capability"] = {
            "consumes": [self._namespace_written(item) for item in self._consumed.values()],
            "exposes": self._exposes(about),
        }
        return document

    def _namespace_written(self, consumed: _Consumed) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "http",
            "namespace": consumed.namespace,
            "description": wording.sentence(self._api.description, 200) or self._title,
            "baseUri": consumed.base_uri,
        }
        if consumed.access.authentication is not None:
            entry["authentication"] = dict(consumed.access.authentication)
        if consumed.access.inputs:
            entry["inputParameters"] = self._dialect.named(consumed.access.inputs)
        entry["resources"] = self._resources(consumed.resources)
        return entry

    def _resources(self, resources: Mapping[str, Mapping[str, Any]]) -> Any:
        return self._dialect.named(
            {
                name: {**resource, "operations": self._dialect.named(resource["operations"])}
                for name, resource in resources.items()
            }
        )

    def _exposes(self, about: str) -> list[dict[str, Any]]:
        rest: dict[str, Any] = {"type": "rest", "namespace": f"{self._namespace}-rest", "port": 8080}
        rest["resources"] = self._resources(
            {name: route for name, route in self._routes.items() if route["operations"]}
        )
        mcp: dict[str, Any] = {
            "type": "mcp",
            "namespace": f"{self._namespace}-mcp",
            "port": 9090,
            "description": wording.sentence(about, 300),
            "tools": self._dialect.named(self._tools),
        }
        return [rest, *([mcp] if self._tools else [])]


def _without_api(title: str) -> str:
    """A title without the words that every API's has."""
    kept = [word for word in naming.words(title) if word not in ("api", "apis", "rest", "openapi", "swagger", "http")]
    return " ".join(kept) or title


def _holes(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def _pattern(path: str) -> str:
    """A path with its placeholders' names left out: two that differ in them only are one route."""
    head, *rest = path.split("{")
    return head + "".join("{}" + part.partition("}")[2] for part in rest)
