"""REST adapters: their routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.broken import reason
from naftiko.compile.forwarding import forwarded
from naftiko.diagnostics import Path
from naftiko.document.nodes import fault_at, locate
from naftiko.plan import ForwardPlan, ResponsePlan, RestPlan, RoutePlan
from naftiko.spec.models.exposes import ExposedOperation, ExposesRest
from naftiko.spec.models.parameters import ExposedInput
from naftiko.values.headers import OF_THE_CONNECTION
from naftiko.values.uris import Hole, anonymous, pieces


def compile_rest(context: AdapterContext) -> RestPlan:
    """The plan of a REST adapter."""
    adapter = cast("ExposesRest", context.adapter)
    path, units, report = context.path, context.units, context.report
    common = context.common()
    routes: list[RoutePlan] = []
    largest = context.largest(adapter.maxBinarySize)
    seen: dict[tuple[str, str], str] = {}
    for position, resource in enumerate(adapter.resources):
        inner = (*path, "resources", position)
        uri = resource.path if resource.path.startswith("/") else "/" + resource.path
        placeholders = tuple(dict.fromkeys(item.name for item in pieces(uri) if isinstance(item, Hole)))
        inherited = _inputs(resource.inputParameters, inner)
        for number, operation in enumerate(resource.operations or ()):
            where = (*inner, "operations", number)
            name = operation.name or (operation.ref or "").rpartition(".")[2] or f"{operation.method} {uri}"
            key = (operation.method, anonymous(uri))
            is_faulty = fault_at(report.root, where) is not None
            if key in seen and not is_faulty:
                message = f"{operation.method} {uri} is answered by `{seen[key]}` already"
                report.add("duplicate-route", message, where, key=True, help="change its path or method")
                continue
            if not is_faulty:
                seen[key] = name
            function = units.compile(
                operation,
                where,
                common["namespace"],
                name=name,
                ref=operation.ref,
                route=placeholders,
                inherited=inherited,
                largest=largest,
            )
            source = units.functions.get(operation.ref or "")
            routes.append(
                RoutePlan(
                    method=operation.method,
                    path=uri,
                    name=name,
                    title=operation.label or (source.function.label if source else None),
                    description=operation.description or (source.function.description if source else None),
                    function=function,
                    tag=resource.label or resource.name,
                    scopes=context.scopes(operation.scopes, where),
                    span=locate(report.root, (*inner, "path")),
                    responses=_responses(operation),
                )
            )
    forwards = tuple(_forwards(adapter, path, context))
    return RestPlan(**common, units=tuple(routes), forwards=forwards)


def _responses(operation: ExposedOperation) -> dict[str, ResponsePlan]:
    """What an operation declares of its answers."""
    found = {
        status: ResponsePlan(
            declared.description,
            {
                kind: content.schema_ if isinstance(content.schema_, Mapping) and not content.binary else None
                for kind, content in (declared.content or {}).items()
            },
        )
        for status, declared in (operation.responses or {}).items()
    }
    if operation.responseBinary is not None:
        short = operation.responseBinary
        found[str(short.status)] = ResponsePlan(short.description, {short.mediaType: None})
    return found


def _forwards(adapter: ExposesRest, path: Path, context: AdapterContext) -> Iterator[ForwardPlan]:
    """Resources that are forwarded: their path up to the placeholder at its end, which stands for the rest."""
    for position, resource in enumerate(adapter.resources):
        if resource.forward is None:
            continue
        where = (*path, "resources", position)
        items = list(pieces(resource.path if resource.path.startswith("/") else "/" + resource.path))
        if isinstance(items[-1], Hole):
            items.pop()
        prefix = "".join(item for item in items if isinstance(item, str)).rstrip("/")
        function = forwarded(context.units, resource.forward.targetNamespace, where, f"forward {prefix or '/'}")
        if any(isinstance(item, Hole) for item in items):
            message = f"`{resource.path}` has a placeholder before its end; only the last one can stand for the rest"
            found = context.report.add("invalid-value", message, (*where, "path"))
            function = replace(function, broken=reason(found))
        trusted = {name.lower() for name in resource.forward.trustedHeaders or ()} - OF_THE_CONNECTION - {"host"}
        yield ForwardPlan(
            name=resource.name or function.name,
            title=resource.label,
            description=resource.description,
            function=function,
            prefix=prefix,
            trusted=frozenset(trusted),
            span=locate(context.report.root, (*where, "path")),
        )


def _inputs(parameters: tuple[ExposedInput, ...] | None, path: Path) -> tuple[tuple[ExposedInput, Path], ...]:
    return tuple((item, (*path, "inputParameters", index)) for index, item in enumerate(parameters or ()))
