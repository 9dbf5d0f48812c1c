"""REST adapters: their routes."""

from __future__ import annotations

from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.diagnostics import Path
from naftiko.document.nodes import fault_at, locate
from naftiko.plan import RestPlan, RoutePlan
from naftiko.spec.models.exposes import ExposesRest
from naftiko.spec.models.parameters import ExposedInput
from naftiko.values.uris import Hole, anonymous, pieces


def compile_rest(context: AdapterContext) -> RestPlan:
    """The plan of a REST adapter."""
    adapter = cast("ExposesRest", context.adapter)
    path, units, report = context.path, context.units, context.report
    common = context.common()
    routes: list[RoutePlan] = []
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
                    span=locate(report.root, (*inner, "path")),
                )
            )
    return RestPlan(**common, units=tuple(routes))


def _inputs(parameters: tuple[ExposedInput, ...] | None, path: Path) -> tuple[tuple[ExposedInput, Path], ...]:
    return tuple((item, (*path, "inputParameters", index)) for index, item in enumerate(parameters or ()))
