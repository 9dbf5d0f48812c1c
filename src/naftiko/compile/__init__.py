"""A checked capability to its plan. Pure: no I/O, no secrets.

One module a part: variables, upstreams and their authentication, the inputs of a unit, what names mean in it, the
request it makes with its body, the shape of its answer, and the adapters that expose it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from naftiko.compile.adapters import compile_adapters
from naftiko.compile.adapters.kind import AdapterCompiler
from naftiko.compile.broken import Broken
from naftiko.compile.inputs import InputTable
from naftiko.compile.kinds import UnitKinds
from naftiko.compile.requests import RequestCompiler
from naftiko.compile.scope import UnitScope
from naftiko.compile.unit_parts import Function
from naftiko.compile.units import UnitCompiler
from naftiko.compile.upstreams import Base, Catalogue, Consumed
from naftiko.compile.variables import Variables
from naftiko.diagnostics import Diagnostic, ordered
from naftiko.document.report import Report
from naftiko.errors import CapabilityError
from naftiko.plan import Plan, Upstream, UpstreamOperation
from naftiko.spec.loader import Loaded
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.control import Scripting
from naftiko.spec.models.exposes import ExposesControl

__all__ = ["Kinds", "compile_capability"]


@dataclass(frozen=True, slots=True)
class Kinds(UnitKinds):
    """Everything that a capability may name: also the kinds of its adapters."""

    adapters: Mapping[str, AdapterCompiler]


def compile_capability(loaded: Loaded, kinds: Kinds) -> tuple[Plan, tuple[Diagnostic, ...]]:
    """The plan of a loaded capability, and everything found about it.

    Raises:
        CapabilityError: the file is no capability, so that there is nothing to plan.
    """
    model = loaded.model
    if model is None:
        raise CapabilityError(loaded.diagnostics)
    report = Report(loaded.root, loaded.file)
    report.found.extend(loaded.diagnostics)
    body = model.capability
    binds = [*(model.binds or ()), *((body.binds or ()) if body else ())]
    is_fragment = body is None or not (body.exposes or body.aggregates)
    variables = Variables(binds, report, str(loaded.directory), is_fragment=is_fragment)
    catalogue = Catalogue(model, variables, report, kinds.schemes)
    units = UnitCompiler(catalogue, _functions(model), variables, report, kinds, _scripting(model))
    adapters = compile_adapters(body.exposes if body else (), kinds.adapters, units, report)
    upstreams = tuple(
        _upstream(base, index, catalogue, variables, report, kinds) for index, base in enumerate(catalogue.bases)
    )
    info = model.info
    plan = Plan(
        file=loaded.file,
        title=(info.label if info else None) or loaded.document.source.title,
        description=info.description if info else None,
        version=model.naftiko or "",
        upstreams=upstreams,
        adapters=adapters,
        variables=variables.plans(),
        release=info.version if info else None,
        tags=(info.tags or ()) if info else (),
    )
    return plan, ordered(_without_followers(report.found))


def _without_followers(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding for each missing namespace, however many calls name it; the others are counted."""
    kept: list[Diagnostic] = []
    first: dict[str, int] = {}
    more: Counter[str] = Counter()
    for item in found:
        if item.code != "unknown-namespace":
            kept.append(item)
        elif item.message in first:
            more[item.message] += 1
        else:
            first[item.message] = len(kept)
            kept.append(item)
    for message, number in more.items():
        index = first[message]
        calls = "call names" if number == 1 else "calls name"
        kept[index] = replace(kept[index], message=f"{message}; {number} more {calls} it")
    return kept


def _scripting(model: CapabilityFile) -> Scripting | None:
    """What a control adapter says of scripts."""
    for adapter in model.capability.exposes if model.capability else ():
        if isinstance(adapter, ExposesControl) and adapter.management is not None:
            return adapter.management.scripting
    return None


def _functions(model: CapabilityFile) -> dict[str, Function]:
    body = model.capability
    return {
        f"{aggregate.namespace}.{function.name}": Function(
            aggregate, function, ("capability", "aggregates", index, "functions", position)
        )
        for index, aggregate in enumerate((body.aggregates or ()) if body else ())
        for position, function in enumerate(aggregate.functions)
        if aggregate.namespace is not None
    }


def _upstream(
    base: Base, index: int, catalogue: Catalogue, variables: Variables, report: Report, kinds: UnitKinds
) -> Upstream:
    operations = [
        _operation(consumed, base, variables, report, kinds)
        for consumed in catalogue.namespaces[base.namespace].values()
        if consumed.upstream == index
    ]
    return Upstream(
        base.namespace, base.authority, base.declared, base.auth, base.problem, tuple(operations), base.server
    )


def _operation(
    consumed: Consumed, base: Base, variables: Variables, report: Report, kinds: UnitKinds
) -> UpstreamOperation:
    """An operation on its own, so that what is wrong with it is found even where nothing calls it."""
    scope = UnitScope(variables, report, InputTable(), frozenset())
    request, broken = None, None
    try:
        request = RequestCompiler(consumed, base, scope, kinds).compile()
    except Broken as error:
        broken = error.reason
    return UpstreamOperation(consumed.operation.name, consumed.operation.description, request, broken)
