"""The tools of an endpoint by the names they are listed by; made beside what serves, and swapped in at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mcp_types import Tool

from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.inbound import Gate
from naftiko.exposers.mcp.names import joint_name, told_apart
from naftiko.exposers.mcp.tools import CallableTool
from naftiko.plan import ToolPlan
from naftiko.values.jsontext import encode


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A tool under the name it is listed by, and its adapter."""

    adapter: McpAdapter
    tool: CallableTool
    listed: Tool


@dataclass(slots=True, eq=False)
class Table:
    """What an endpoint serves. `gates` are those of which a caller must pass one; none where some adapter has none."""

    adapters: tuple[McpAdapter, ...]
    is_joint: bool = False
    gates: tuple[Gate, ...] = ()
    _names: Mapping[str, tuple[McpAdapter, ToolPlan]] = field(default_factory=dict)
    _tools: dict[str, Served] = field(default_factory=dict)
    _digest: str = ""

    def get(self, name: str) -> Served | None:
        """The tool of a name."""
        served = self._tools.get(name)
        if served is None and name in self._names:
            served = self._tools[name] = _served(name, *self._names[name])
        return served

    def all(self) -> list[Served]:
        """Every tool, in order."""
        return [served for name in self._names if (served := self.get(name)) is not None]

    def __len__(self) -> int:
        return len(self._names)

    def is_like(self, other: Table) -> bool:
        """Whether clients see the same tools in both."""
        if [*self._names] != [*other._names]:
            return False
        pairs = zip(self._names.values(), other._names.values(), strict=True)
        return all(one is two or _seen(one) == _seen(two) for (_, one), (_, two) in pairs)

    @property
    def digest(self) -> str:
        """What tells this set of tools from another one."""
        if not self._digest:
            listed = [served.listed.model_dump(mode="json", by_alias=True, exclude_none=True) for served in self.all()]
            self._digest = hashlib.sha256(encode(listed)).hexdigest()[:16]
        return self._digest


def _seen(plan: ToolPlan) -> tuple[object, ...]:
    """What of a tool a client sees."""
    function = plan.function
    return (plan.title, plan.description, dict(plan.hints), function.inputs, function.output, function.broken)


def made(adapters: Sequence[McpAdapter], *, is_joint: bool = False) -> Table:
    """The table of adapters. With `is_joint` every name begins with its adapter's, so that none depends on others."""
    gates = [adapter.gate for adapter in adapters]
    return Table(
        tuple(adapters),
        is_joint,
        tuple(gate for gate in gates if gate is not None) if None not in gates else (),
        _joint(adapters) if is_joint else _own(adapters),
    )


def _served(name: str, adapter: McpAdapter, plan: ToolPlan) -> Served:
    tool = CallableTool(plan)
    listed = tool.described if name == plan.name else tool.described.model_copy(update={"name": name})
    return Served(adapter, tool, listed)


def _pairs(adapters: Sequence[McpAdapter]) -> list[tuple[McpAdapter, ToolPlan]]:
    return [(adapter, plan) for adapter in adapters for plan in adapter.plan.units]


def _own(adapters: Sequence[McpAdapter]) -> dict[str, tuple[McpAdapter, ToolPlan]]:
    """The tools of one capability by their own names; those that two of its adapters have begin with the adapter's."""
    users = Counter(plan.name for _, plan in _pairs(adapters))
    found: dict[str, tuple[McpAdapter, ToolPlan]] = {}
    for adapter, plan in _pairs(adapters):
        base = plan.name if users[plan.name] == 1 else f"{adapter.plan.namespace}_{plan.name}"
        _add(found, base, adapter, plan)
    return found


def _joint(adapters: Sequence[McpAdapter]) -> dict[str, tuple[McpAdapter, ToolPlan]]:
    pairs = [(joint_name(adapter.plan.namespace, plan.name), adapter, plan) for adapter, plan in _pairs(adapters)]
    users = Counter(name for name, _, _ in pairs)
    found: dict[str, tuple[McpAdapter, ToolPlan]] = {}
    for name, adapter, plan in pairs:
        _add(found, name if users[name] == 1 else told_apart(name, adapter.file), adapter, plan)
    return found


def _add(found: dict[str, tuple[McpAdapter, ToolPlan]], base: str, adapter: McpAdapter, plan: ToolPlan) -> None:
    """Add a tool; where one file has a name twice, the second is numbered."""
    name, number = base, 2
    while name in found:
        name, number = f"{base}_{number}", number + 1
    found[name] = (adapter, plan)
