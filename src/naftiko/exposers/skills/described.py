"""Skills as callers see them; the reference engine answers the same."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko.plan import SkillPlan, SkillToolPlan

Json = dict[str, object]


def listed(skills: Sequence[SkillPlan]) -> Json:
    """What `/skills` answers."""
    shown = [_head(skill) | {"tools": [tool.name for tool in skill.tools]} for skill in skills]
    return {"count": len(shown), "skills": shown}


def _head(skill: SkillPlan) -> Json:
    found: Json = {"name": skill.name, "description": skill.description}
    if "license" in skill.about:
        found["license"] = skill.about["license"]
    return found


def whole(skill: SkillPlan) -> Json:
    """What `/skills/{name}` answers."""
    return {
        "name": skill.name,
        "description": skill.description,
        **skill.about,
        "tools": [_tool(tool) for tool in skill.tools],
    }


def _tool(tool: SkillToolPlan) -> Json:
    found: Json = {"name": tool.name, "description": tool.description}
    if tool.instruction is not None:
        return {**found, "type": "instruction", "instruction": tool.instruction}
    source = {"targetNamespace": tool.namespace, "action": tool.action, "mode": tool.mode}
    return {**found, "type": "derived", "invocationRef": source}
