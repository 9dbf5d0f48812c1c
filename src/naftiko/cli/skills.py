"""Skills as folders (agentskills.io, specification): `SKILL.md`, and whatever else belongs to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from naftiko.exposers.folders import listed, opened
from naftiko.plan import McpPlan, Plan, RestPlan, SkillPlan, SkillsPlan, SkillToolPlan, UnitPlan

_LONGEST_NAME = 64
_LONGEST_DESCRIPTION = 1024
_FIRST = ("license", "compatibility", "allowed-tools", "metadata")

Units: TypeAlias = dict[tuple[str, str], tuple[McpPlan | RestPlan, UnitPlan]]
"""What adapters offer, by namespace and name."""


@dataclass(frozen=True, slots=True)
class SkillFolder:
    """A folder's name, and its files by their paths."""

    name: str
    files: dict[str, bytes | str]


def skill_folders(plan: Plan, directory: Path) -> list[SkillFolder]:
    """The folders of a capability's skills; of one for all its tools where it declares none."""
    units: Units = {
        (adapter.namespace, unit.name): (adapter, unit)
        for adapter in plan.adapters
        if isinstance(adapter, McpPlan | RestPlan)
        for unit in adapter.units
    }
    skills = [skill for adapter in plan.adapters if isinstance(adapter, SkillsPlan) for skill in adapter.units]
    if skills:
        return [_folder(skill, units) for skill in skills]
    tools = [(adapter, unit) for adapter, unit in units.values() if isinstance(adapter, McpPlan)]
    if not tools:
        return []
    name = slug(plan.title)
    rows = [_row(unit.name, unit.description, adapter, unit) for adapter, unit in tools]
    text = _text(name, plan.description or plan.title, {}, rows)
    return [SkillFolder(name, {"SKILL.md": text})]


def slug(text: str) -> str:
    """A name that a skill may have: lower-case letters, digits, and single hyphens between them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "capability"


def _folder(skill: SkillPlan, units: Units) -> SkillFolder:
    files: dict[str, bytes | str] = {}
    if skill.files is not None:
        for relative, _ in listed(Path(skill.files.location)):
            with opened(skill.files, relative) as source:
                files[relative] = source.read()
    name = slug(skill.name)
    if "SKILL.md" not in files:
        rows = [_tool(tool, units) for tool in skill.tools]
        files = {"SKILL.md": _text(name, skill.description or skill.name, dict(skill.about), rows), **files}
    return SkillFolder(name, files)


def _text(name: str, description: str, about: dict[str, object], rows: list[str]) -> str:
    """`SKILL.md`: what an agent reads first."""
    head: dict[str, object] = {"name": name, "description": " ".join(description.split())[:_LONGEST_DESCRIPTION]}
    head |= {key: about[key] for key in _FIRST if key in about}
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120)
    body = "\n".join(rows) or "It has no tools."
    return f"---\n{front}---\n\n# {name}\n\n{description.strip()}\n\n## Tools\n\n{body}\n"


def _tool(tool: SkillToolPlan, units: Units) -> str:
    if tool.instruction is not None:
        return f"- **{tool.name}**: {_sentence(tool.description)} See [{tool.instruction}]({tool.instruction})."
    found = units.get((tool.namespace or "", tool.action or ""))
    if found is None:
        return f"- **{tool.name}**: {(tool.description or '').strip()}"
    return _row(tool.name, tool.description or found[1].description, *found)


def _sentence(text: str | None) -> str:
    """A description as what another sentence can follow."""
    words = " ".join((text or "").split())
    return words if not words or words.endswith((".", "!", "?")) else f"{words}."


def _row(name: str, description: str | None, adapter: McpPlan | RestPlan, unit: UnitPlan) -> str:
    """A tool in words: what it does, how it is called, and what it takes."""
    about = _sentence(description)
    how = f"`{unit.label}` of the REST API" if isinstance(adapter, RestPlan) else f"the MCP tool `{unit.name}`"
    shown = (plan for plan in unit.function.inputs if not plan.is_hidden)
    takes = [f"`{plan.name}`" + (" (required)" if plan.required else "") for plan in shown]
    inputs = f" It takes {', '.join(takes)}." if takes else ""
    return f"- **{name}**: {about} Call {how} of `{adapter.namespace}`.{inputs}"
