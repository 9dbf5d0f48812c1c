"""What several files of a folder claim at once: namespaces, routes, and names of tools (semantics, section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from naftiko.diagnostics import START, Diagnostic, Span, ordered
from naftiko.diagnostics.codes import CODES
from naftiko.exposers.mcp.names import LONGEST, joint_name
from naftiko.plan import AdapterPlan, McpPlan, Plan, RestPlan
from naftiko.values.uris import anonymous

Address = Callable[[AdapterPlan], object]
"""The port of an adapter: adapters of other ports never meet."""


@dataclass(frozen=True, slots=True)
class _Claim:
    file: str
    span: Span
    namespace: str


def declared_port(adapter: AdapterPlan) -> object:
    """The port as the file has it."""
    return (adapter.address or "localhost", adapter.port)


def conflicts(plans: Sequence[Plan], address: Address = declared_port) -> tuple[Diagnostic, ...]:
    """A finding at each place that claims what an earlier file has already."""
    found: list[Diagnostic] = []
    namespaces: dict[object, _Claim] = {}
    routes: dict[object, _Claim] = {}
    tools: dict[object, _Claim] = {}
    others: dict[object, _Claim] = {}
    for plan in plans:
        for adapter in plan.adapters:
            if adapter.broken is not None or adapter.port is None:
                continue
            place = address(adapter)
            own = _Claim(plan.file, adapter.span or START, adapter.namespace)
            first = namespaces.setdefault((place, adapter.type, adapter.namespace), own)
            if first is not own:
                found.append(_namespace(adapter, own, first))
            if isinstance(adapter, RestPlan):
                found += _routes(plan, adapter, place, routes)
            elif isinstance(adapter, McpPlan):
                found += _tools(plan, adapter, place, tools)
                found += _others(plan, adapter, place, others)
    return ordered(found)


def _namespace(adapter: AdapterPlan, own: _Claim, first: _Claim) -> Diagnostic:
    below = f"/{adapter.namespace}" + ("/mcp" if adapter.type == "mcp" else "")
    message = (
        f"{first.file} (line {first.span.line}) has a {adapter.type} adapter `{adapter.namespace}` on this port, "
        f"which answers at {below}"
    )
    return _finding("conflict-namespace", message, own, "give one of the two another `namespace:`")


def _routes(plan: Plan, adapter: RestPlan, place: object, seen: dict[object, _Claim]) -> Iterator[Diagnostic]:
    for route in adapter.units:
        own = _Claim(plan.file, route.span or adapter.span or START, adapter.namespace)
        first = seen.setdefault((place, route.method, anonymous(route.path)), own)
        if first.file != own.file:
            message = (
                f"{route.method} {route.path} is answered by {first.file} (line {first.span.line}) at its plain path; "
                f"this one answers at /{adapter.namespace}{route.path} only"
            )
            yield _finding("conflict-route", message, own, "change its path or method, or call it below its namespace")


def _tools(plan: Plan, adapter: McpPlan, place: object, seen: dict[object, _Claim]) -> Iterator[Diagnostic]:
    for tool in adapter.units:
        own = _Claim(plan.file, tool.span or adapter.span or START, adapter.namespace)
        name = joint_name(adapter.namespace, tool.name)
        first = seen.setdefault((place, name), own)
        if first is not own:
            message = (
                f"the tool is `{name}` on the shared endpoint, and so is one of {first.file} (line {first.span.line}); "
                "both get a mark of their file"
            )
            yield _finding("conflict-tool-name", message, own, "rename one of the two")
        whole = f"{adapter.namespace}_{tool.name}"
        if len(joint_name(adapter.namespace, "")) + len(tool.name) > LONGEST:
            message = (
                f"`{whole}` is longer than the {LONGEST} characters models take; it is `{name}` where tools are shared"
            )
            yield _finding("joint-tool-name", message, own, "shorten the tool's name or the namespace")


def _others(plan: Plan, adapter: McpPlan, place: object, seen: dict[object, _Claim]) -> Iterator[Diagnostic]:
    """Prompts that have one name on the shared endpoint, and resources at one URI."""
    for prompt in adapter.prompts:
        own = _Claim(plan.file, prompt.span or adapter.span or START, adapter.namespace)
        name = joint_name(adapter.namespace, prompt.name)
        first = seen.setdefault((place, "prompt", name), own)
        if first is not own:
            message = (
                f"the prompt is `{name}` on the shared endpoint, and so is one of {first.file} (line "
                f"{first.span.line}); both get a mark of their file"
            )
            yield _finding("conflict-prompt-name", message, own, "rename one of the two")
    for resource in adapter.resources:
        own = _Claim(plan.file, resource.span or adapter.span or START, adapter.namespace)
        first = seen.setdefault((place, "resource", resource.uri), own)
        if first.file != own.file:
            message = (
                f"{first.file} (line {first.span.line}) has a resource at `{resource.uri}`, which is the one that the "
                "shared endpoint serves"
            )
            yield _finding("conflict-resource", message, own, "give one of the two another `uri:`")


def _finding(code: str, message: str, claim: _Claim, help: str) -> Diagnostic:
    return Diagnostic(code, CODES[code].severity, message, claim.file, claim.span, (), help)
