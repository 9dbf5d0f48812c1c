"""Skill adapters: skills, with the tools that they speak of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.resources import nothing
from naftiko.compile.broken import Broken
from naftiko.diagnostics import Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.locations import local_file
from naftiko.document.nodes import locate
from naftiko.plan import FilesPlan, SkillPlan, SkillsPlan, SkillToolPlan
from naftiko.spec.models.exposes import Exposes, ExposesMcp, ExposesRest, ExposesSkill, Skill, SkillTool

_LARGEST = 64 * 1024 * 1024
"""The bytes of a file that is served."""

_ABOUT = ("license", "compatibility", "argument-hint", "allowed-tools", "metadata")


def compile_skills(context: AdapterContext) -> SkillsPlan:
    """The plan of a skill adapter."""
    adapter = cast("ExposesSkill", context.adapter)
    actions = _actions(context.siblings)
    skills: dict[str, SkillPlan] = {}
    for position, skill in enumerate(adapter.skills):
        where = (*context.path, "skills", position)
        if skill.name in skills:
            message = f"a skill named `{skill.name}` stands before this one"
            context.report.add("duplicate-skill", message, (*where, "name"))
            continue
        skills[skill.name] = _skill(skill, where, context, actions)
    return SkillsPlan(**context.common(), units=tuple(skills.values()))


def _actions(exposes: Sequence[Exposes]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What other adapters offer, by namespace: their type, and the names of their operations or tools."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for adapter in exposes:
        if isinstance(adapter, ExposesRest):
            names = [
                operation.name or operation.ref for item in adapter.resources for operation in item.operations or ()
            ]
        elif isinstance(adapter, ExposesMcp):
            names = [tool.name or tool.ref for tool in adapter.tools]
        else:
            continue
        known = tuple(name.rpartition(".")[2] for name in names if name)
        found.setdefault(adapter.namespace or adapter.type, (adapter.type, known))
    return found


def _skill(
    skill: Skill, path: Path, context: AdapterContext, actions: Mapping[str, tuple[str, tuple[str, ...]]]
) -> SkillPlan:
    given = skill.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    about = {key: given[key] for key in (*_ABOUT, "user-invocable", "disable-model-invocation") if key in given}
    files = _files(skill, path, context)
    function, tools = nothing(skill.name), list[SkillToolPlan]()
    try:
        for position, tool in enumerate(skill.tools or ()):
            tools.append(
                _tool(tool, (*path, "tools", position), context, actions, has_files=skill.location is not None)
            )
    except Broken as error:
        function = nothing(skill.name, error.reason)
    return SkillPlan(
        name=skill.name,
        description=skill.description,
        function=function,
        about=about,
        tools=tuple(tools),
        files=files,
        span=locate(context.report.root, (*path, "name")),
    )


def _tool(
    tool: SkillTool,
    path: Path,
    context: AdapterContext,
    actions: Mapping[str, tuple[str, tuple[str, ...]]],
    *,
    has_files: bool,
) -> SkillToolPlan:
    """A tool that a skill speaks of.

    Raises:
        Broken: it is neither one of an adapter nor a text, or both.
    """
    report = context.report
    if (tool.from_ is None) == (tool.instruction is None):
        message = f"the tool `{tool.name}` has either `from` or `instruction`"
        raise Broken(report.add("skill-tool", message, path, key=True, help="add `from:`, or `instruction:`"))
    if tool.instruction is not None:
        if not has_files:
            message = f"the instruction `{tool.instruction}` is a file of the skill, which has no `location`"
            raise Broken(report.add("skill-tool", message, (*path, "instruction"), help="add `location:` to the skill"))
        return SkillToolPlan(name=tool.name, description=tool.description, instruction=tool.instruction)
    source = tool.from_
    assert source is not None  # noqa: S101 - one of the two is there
    if source.sourceNamespace not in actions:
        message = f"no REST or MCP adapter of this capability is named `{source.sourceNamespace}`"
        help = did_you_mean(source.sourceNamespace, actions)
        raise Broken(report.add("skill-tool", message, (*path, "from", "sourceNamespace"), help=help))
    mode, names = actions[source.sourceNamespace]
    if source.action not in names:
        message = f"`{source.sourceNamespace}` has no `{source.action}`"
        help = did_you_mean(source.action, names)
        raise Broken(report.add("skill-tool", message, (*path, "from", "action"), help=help))
    return SkillToolPlan(
        name=tool.name,
        description=tool.description,
        namespace=source.sourceNamespace,
        action=source.action,
        mode=mode,
    )


def _files(skill: Skill, path: Path, context: AdapterContext) -> FilesPlan | None:
    """The files of a skill. Where its folder is not on this machine the rest of it is served all the same."""
    if skill.location is None:
        return None
    found = local_file(skill.location, FilePath(context.units.variables.directory))
    if found is None or not os.path.isdir(found):
        message = f"`{skill.location}` is no folder here; the skill's files are not served"
        context.report.add("file-missing", message, (*path, "location"), severity=Severity.WARNING)
        return None
    return FilesPlan(location=str(found), largest=_LARGEST)
