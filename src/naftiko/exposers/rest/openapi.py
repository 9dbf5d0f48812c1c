"""The OpenAPI 3.1 document of a REST adapter, from the same derived inputs as a tool's schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, cast
from urllib.parse import parse_qsl

from naftiko.__about__ import __version__
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.problems import MEDIA_TYPE
from naftiko.exposers.schema import input_schema, output_schema
from naftiko.plan import AdapterPlan, InputPlan, RoutePlan
from naftiko.values.uris import HOLE, hole_name

_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that OpenAPI tells readers to ignore (OpenAPI 3.1, parameter object)."""

Json = dict[str, object]


def document(exposed: RestAdapter, *, is_below: bool = False) -> Json:
    """The description of every route, with inputs by where they are looked for first."""
    adapter = exposed.plan
    paths: dict[str, dict[str, Json]] = {}
    used: dict[str, int] = {}
    for route in adapter.units:
        path, _, condition = route.path.partition("?")
        item = paths.setdefault(HOLE.sub(lambda match: "{" + hole_name(match[1] or match[2]) + "}", path), {})
        known = item.get(route.method.lower())
        if known is None:
            item[route.method.lower()] = known = _operation(
                route, _unique(route.name, used), has_auth=adapter.auth is not None
            )
        for name, value in parse_qsl(condition, keep_blank_values=True):
            _add_condition(known, name, value)
    described: Json = {
        "openapi": "3.1.0",
        "info": _info(exposed),
        "servers": [{"url": f"/{adapter.namespace}" if is_below else "/"}],
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}, **_security_schemes(adapter)},
    }
    if adapter.auth is not None:
        wanted = adapter.auth.options.get("scopes", "").split() if "tokenEndpoint" in adapter.auth.options else []
        described["security"] = [{"adapter": wanted}]
    return described


def _info(exposed: RestAdapter) -> Json:
    """Title and description, and which version of the file it is, in words where a newer one is held back."""
    adapter, version = exposed.plan, exposed.version
    texts = [adapter.description or ""]
    source: Json = {"file": PurePath(exposed.file).name, "version": version.short}
    if version.held_back is not None:
        texts.append(f"This is version {version.short} of the file. A newer one is held back: {version.held_back}")
        source["heldBack"] = version.held_back
    info: Json = {"title": exposed.title or adapter.title, "version": __version__}
    described = "\n\n".join(text for text in texts if text)
    if described:
        info["description"] = described
    if exposed.file:
        info["x-naftiko-source"] = source
    return info


def described(adapters: Sequence[RestAdapter], *, is_below: bool = False) -> Json:
    """The document of one adapter, or of several with each below its namespace, which is where all their paths are.

    `is_below` is for the document of one that shares its port, at its own address.
    """
    if len(adapters) == 1:
        return document(adapters[0], is_below=is_below)
    paths: Json = {}
    for exposed in adapters:
        adapter = exposed.plan
        for path, item in cast("dict[str, dict[str, Json]]", document(exposed)["paths"]).items():
            for operation in item.values():
                operation["operationId"] = f"{adapter.namespace}.{operation['operationId']}"
                operation["tags"] = [adapter.namespace]
            paths[f"/{adapter.namespace}{path}"] = item
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{len(adapters)} REST adapters", "version": __version__},
        "servers": [{"url": "/"}],
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


def _unique(name: str, used: dict[str, int]) -> str:
    candidate, number = name, used.get(name, 1)
    while candidate in used:
        number += 1
        candidate = f"{name}-{number}"
    used[name] = number
    used.setdefault(candidate, 1)
    return candidate


def _operation(route: RoutePlan, operation_id: str, *, has_auth: bool) -> Json:
    parameters: list[Json] = []
    fields: dict[str, InputPlan] = {}
    whole: InputPlan | None = None
    placeholders = {hole_name(match[1] or match[2]) for match in HOLE.finditer(route.path.partition("?")[0])}
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
    takes_inputs = bool(parameters or whole is not None or fields)
    operation["responses"] = _responses(route, has_auth=has_auth, takes_inputs=takes_inputs)
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


def _responses(route: RoutePlan, *, has_auth: bool, takes_inputs: bool) -> Json:
    if route.function.broken is not None:
        return {"501": _problem_response(f"Cannot be carried out: {route.function.broken}")}
    responses: Json = {
        status: {
            "description": declared.description or f"An answer with status {status}.",
            "content": {kind: {"schema": schema} if schema else {} for kind, schema in declared.content.items()},
        }
        for status, declared in route.responses.items()
    }
    if not any(status.startswith("2") for status in responses):
        binary = route.function.binary.media_type if route.function.binary is not None else None
        schema = {"schema": output_schema(route.function.output)}
        content = {"application/json": schema} if binary is None else {binary: {}}
        responses["2XX"] = {"description": "The answer.", "content": content}
    if takes_inputs:
        responses.setdefault(
            "400", _problem_response("An input is missing or does not fit; nothing was sent upstream.")
        )
    if has_auth:
        responses.setdefault("401", _problem_response("The request carries no valid credentials."))
    if route.function.requests:
        responses.setdefault(
            "502", _problem_response("The upstream cannot be reached, or its answer cannot be passed on.")
        )
        responses.setdefault("504", _problem_response("The upstream did not answer in time."))
    otherwise = {
        "description": "What the upstream answered, or why it was not asked.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}, "*/*": {}},
    }
    responses.setdefault("default", otherwise)
    return responses


def _problem_response(description: str) -> Json:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


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
    if adapter.auth.scheme in ("basic", "bearer", "digest"):
        scheme: Json = {"type": "http", "scheme": adapter.auth.scheme}
    elif adapter.auth.scheme == "oauth2" and "tokenEndpoint" in adapter.auth.options:
        scopes = dict.fromkeys(adapter.auth.options["scopes"].split(), "")
        flow = {"tokenUrl": adapter.auth.options["tokenEndpoint"], "scopes": scopes}
        scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    elif adapter.auth.scheme == "oauth2":
        scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    else:
        placement = adapter.auth.options.get("placement", "header")
        scheme = {"type": "apiKey", "in": placement, "name": next(iter(adapter.auth.settings))}
    return {"securitySchemes": {"adapter": scheme}}
