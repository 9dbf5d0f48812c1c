"""The OpenAPI 3.1 document of a REST adapter, from the same derived inputs as a tool's schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import parse_qsl

from naftiko import __version__
from naftiko.exposers.rest.problems import MEDIA_TYPE
from naftiko.exposers.schema import input_schema
from naftiko.plan import AdapterPlan, InputPlan, OutputPlan, RoutePlan, Shape

_DOUBLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}|\{\s*([^{}]+?)\s*\}")
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that OpenAPI tells readers to ignore (OpenAPI 3.1, parameter object)."""

Json = dict[str, object]


def document(adapter: AdapterPlan) -> Json:
    """The description of every route, with inputs by where they are looked for first."""
    paths: dict[str, dict[str, Json]] = {}
    used: set[str] = set()
    for route in adapter.routes:
        path, _, condition = route.path.partition("?")
        item = paths.setdefault(_DOUBLE.sub(lambda match: "{" + (match[1] or match[2]) + "}", path), {})
        known = item.get(route.method.lower())
        if known is None:
            item[route.method.lower()] = known = _operation(route, _unique(route.name, used))
        for name, value in parse_qsl(condition, keep_blank_values=True):
            _add_condition(known, name, value)
    described: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": adapter.title,
            "version": __version__,
            **({"description": adapter.description} if adapter.description else {}),
        },
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}, **_security_schemes(adapter)},
    }
    if adapter.auth is not None:
        described["security"] = [{"adapter": []}]
    return described


def described(adapters: Sequence[AdapterPlan]) -> Json:
    """The document of one adapter, or of several with each below its namespace, which is where all their paths are."""
    if len(adapters) == 1:
        return document(adapters[0])
    paths: Json = {}
    for adapter in adapters:
        for path, item in cast("dict[str, dict[str, Json]]", document(adapter)["paths"]).items():
            for operation in item.values():
                operation["operationId"] = f"{adapter.namespace}.{operation['operationId']}"
                operation["tags"] = [adapter.namespace]
            paths[f"/{adapter.namespace}{path}"] = item
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{len(adapters)} REST adapters", "version": __version__},
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}},
    }


_PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def _unique(name: str, used: set[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}-{number}", number + 1
    used.add(candidate)
    return candidate


def _operation(route: RoutePlan, operation_id: str) -> Json:
    parameters: list[Json] = []
    fields: dict[str, InputPlan] = {}
    whole: InputPlan | None = None
    placeholders = {match[1] or match[2] for match in _DOUBLE.finditer(route.path.partition("?")[0])}
    for plan in route.function.inputs:
        if plan.is_hidden:
            continue
        place, name = _place(plan, route.method, placeholders)
        if place == "whole":
            whole = plan
        elif place == "body":
            fields[name] = plan
        elif place != "header" or name.lower() not in _IGNORED_HEADERS:
            parameters.append(_parameter(plan, place, name))
    described = {(parameter["in"], parameter["name"]) for parameter in parameters}
    for name in sorted(placeholders):
        if ("path", name) not in described:
            parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    operation: Json = {"operationId": operation_id}
    summary = route.title or route.description
    if summary:
        operation["summary"] = summary
    if route.title and route.description:
        operation["description"] = route.description
    if route.tag:
        operation["tags"] = [route.tag]
    if parameters:
        operation["parameters"] = parameters
    if whole is not None or fields:
        operation["requestBody"] = _body(whole, fields)
    operation["responses"] = _responses(route)
    return operation


def _place(plan: InputPlan, method: str, placeholders: set[str]) -> tuple[str, str]:
    for place, name in plan.places:
        if place == "path":
            if name in placeholders:
                return place, name
        elif place == "body" and method in _BODILESS and ("query", name) in plan.places:
            return "query", name
        else:
            return place, name
    return "body", plan.name


def _parameter(plan: InputPlan, place: str, name: str) -> Json:
    schema = input_schema(plan)
    description = schema.pop("description", None)
    parameter: Json = {"name": name, "in": place, "schema": schema}
    if description is not None:
        parameter["description"] = description
    if place == "path" or plan.required:
        parameter["required"] = True
    return parameter


def _body(whole: InputPlan | None, fields: dict[str, InputPlan]) -> Json:
    if whole is not None:
        schema = input_schema(whole)
        required = whole.required
    else:
        needed = [name for name, plan in fields.items() if plan.required]
        schema = {"type": "object", "properties": {name: input_schema(plan) for name, plan in fields.items()}}
        required = bool(needed)
        if needed:
            schema["required"] = needed
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _responses(route: RoutePlan) -> Json:
    if route.function.broken is not None:
        return {"501": _problem_response(f"Cannot be carried out: {route.function.broken}")}
    return {
        "2XX": {
            "description": "The answer.",
            "content": {"application/json": {"schema": _output(route.function.output)}},
        },
        "default": {
            "description": "What the upstream answered, or why it was not asked.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}, "*/*": {}},
        },
    }


def _problem_response(description: str) -> Json:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _output(plan: OutputPlan) -> Json:
    if plan.members:
        return {"type": "object", "properties": {name: _shape(shape) for name, shape in plan.members}}
    return _shape(plan.options[0]) if len(plan.options) == 1 else {}


def _shape(shape: Shape) -> Json:
    """A shape's schema. Whatever an upstream leaves out is null, so every type may be null too."""
    if shape.kind == "response":
        return {}
    if shape.kind == "object":
        properties = {name: _shape(member) for name, member in shape.members}
        return {"type": ["object", "null"], "properties": properties}
    if shape.kind == "list" and shape.item is not None:
        return {"type": ["array", "null"], "items": _shape(shape.item)}
    return {}


def _add_condition(operation: Json, name: str, value: str) -> None:
    """Routes that differ in their query only are one operation, with the values the query may have."""
    parameters = cast("list[Any]", operation.setdefault("parameters", []))
    for parameter in parameters:
        if parameter["name"] == name and parameter["in"] == "query":
            if value not in parameter["schema"].setdefault("enum", []):
                parameter["schema"]["enum"].append(value)
            return
    parameters.append({"name": name, "in": "query", "required": True, "schema": {"type": "string", "enum": [value]}})


def _security_schemes(adapter: AdapterPlan) -> Json:
    if adapter.auth is None:
        return {}
    if adapter.auth.scheme in ("basic", "bearer"):
        scheme: Json = {"type": "http", "scheme": adapter.auth.scheme}
    else:
        placement = adapter.auth.options.get("placement", "header")
        scheme = {"type": "apiKey", "in": placement, "name": next(iter(adapter.auth.settings))}
    return {"securitySchemes": {"adapter": scheme}}
