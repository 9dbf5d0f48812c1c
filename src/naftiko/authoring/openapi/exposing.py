"""What a capability exposes of an API: a route and a tool for each operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from naftiko.authoring import naming
from naftiko.authoring.dialects import Dialect
from naftiko.authoring.openapi import names, outputs, wording
from naftiko.authoring.openapi.asking import declared, sorted_by_place
from naftiko.authoring.openapi.consuming import resources
from naftiko.authoring.openapi.inputs import Inputs
from naftiko.authoring.openapi.model import Api, Operation
from naftiko.authoring.openapi.schemas import Shapes

_HINTS: Mapping[str, Mapping[str, bool]] = {
    "GET": {"readOnly": True},
    "POST": {"readOnly": False, "destructive": False, "idempotent": False},
    "PUT": {"readOnly": False, "destructive": True, "idempotent": True},
    "PATCH": {"readOnly": False, "destructive": True, "idempotent": False},
    "DELETE": {"readOnly": False, "destructive": True, "idempotent": True},
}


class Routes:
    """The resources of a REST adapter."""

    def __init__(self, api: Api, shapes: Shapes, dialect: Dialect, *, has_responses: bool) -> None:
        self._api = api
        self._shapes = shapes
        self._dialect = dialect
        self._has_responses = has_responses
        self._resources: dict[str, dict[str, Any]] = {}
        self._names = naming.Names()
        self._by_pattern: dict[str, str] = {}

    def written(self) -> Any:
        return resources({name: item for name, item in self._resources.items() if item["operations"]}, self._dialect)

    def add(self, operation: Operation, name: str, call: str, found: Inputs) -> None:
        """Add a route, as the API has it."""
        entry = self._resource(operation, found.route)
        if any(item["method"] == operation.method for item in entry["operations"].values()):
            route = f"{operation.method} {operation.path}"
            operation.view.left(f"{route} is no route: another one has this method and path")
            return
        renamed = dict(zip(_holes(found.route), _holes(entry["path"]), strict=True))
        given = {wire: f"rest.{asked}" for wire, asked in found.given.items()}
        inputs: dict[str, Any] = {}
        taken = naming.Names(renamed.values())
        for asked in sorted_by_place(found.asked):
            if asked.place != "path" and asked.name in taken:  # by the name that a placeholder has here
                operation.view.left(f"{operation.method} {operation.path} is no route: `{asked.name}` is in its path")
                return
            item = {"in": asked.place, **declared(asked, self._shapes, self._dialect)}
            if self._dialect.is_extended and asked.is_required and asked.place != "path":
                item["required"] = True
            inputs[renamed.get(asked.name, asked.name) if asked.place == "path" else asked.name] = item
        given |= {old: f"rest.{new}" for old, new in renamed.items() if old != new}
        route_: dict[str, Any] = {"method": operation.method}
        if operation.summary:
            route_[self._dialect.display] = wording.display(operation)
        route_ |= {"description": wording.whole(operation), "call": call}
        if inputs:
            route_["inputParameters"] = self._dialect.named(inputs)
        if given:
            route_["with"] = given
        if self._has_responses and not self._dialect.has_lists:
            responses = outputs.responses(operation, self._shapes)
            if responses:
                route_["responses"] = responses
        entry["operations"][naming.Names(entry["operations"]).give(name)] = route_

    def _resource(self, operation: Operation, route: str) -> dict[str, Any]:
        pattern = _pattern(route)
        name = self._by_pattern.get(pattern)
        if name is None:
            name = self._by_pattern[pattern] = self._names.give(names.of_path(operation.path))
            about = wording.resource(self._api, operation)
            self._resources[name] = {"path": route, "description": about, "operations": {}}
        return self._resources[name]


class Tools:
    """The tools of an MCP adapter, up to `most`."""

    def __init__(self, shapes: Shapes, dialect: Dialect, most: int | None, *, is_typed: bool) -> None:
        self._shapes = shapes
        self._dialect = dialect
        self._most = most
        self._is_typed = is_typed
        self._tools: dict[str, dict[str, Any]] = {}
        self._names = naming.Names()
        self._left: list[Operation] = []

    def __bool__(self) -> bool:
        return bool(self._tools)

    def written(self) -> Any:
        if self._left:
            count = len(self._left)
            self._left[0].view.left(
                f"{count} operations are no tools, since --max-tools is {self._most}; they are routes all the same"
            )
        return self._dialect.named(self._tools)

    def add(self, operation: Operation, name: str, call: str, found: Inputs) -> None:
        """Add a tool, unless there are enough."""
        if self._most is not None and len(self._tools) >= self._most:
            self._left.append(operation)
            return
        tool: dict[str, Any] = {}
        if operation.summary:
            tool[self._dialect.display] = wording.display(operation)
        tool["description"] = wording.short(operation)
        if operation.tags and not self._dialect.has_lists:
            tool["tags"] = list(operation.tags)
        tool |= {"call": call, "hints": dict(_HINTS[operation.method])}
        inputs = {}
        for asked in sorted_by_place(found.asked):
            item = declared(asked, self._shapes, self._dialect)
            if not asked.is_required:
                item["required"] = False
            inputs[asked.name] = item
        if inputs:
            tool["inputParameters"] = self._dialect.named(inputs)
        if found.given:
            tool["with"] = {wire: f"tools.{given}" for wire, given in found.given.items()}
        shaped = outputs.shaped(outputs.success(operation), self._shapes) if self._is_typed else None
        if shaped is not None:
            tool["outputParameters"] = shaped
        self._tools[self._names.give(naming.cut(name, naming.LONGEST))] = tool


def _holes(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def _pattern(path: str) -> str:
    """A path with its placeholders' names left out: two that differ in them only are one route."""
    head, *rest = path.split("{")
    return head + "".join("{}" + part.partition("}")[2] for part in rest)
