"""`skill`: skills for agents, with their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from naftiko.adapters.kind import AdapterKind
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.skills import compile_skills
from naftiko.plan import SkillsPlan

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from naftiko.exposers.adapter import AnyAdapter, ExposedAdapter
    from naftiko.exposers.control import Surroundings


class _Skills(AdapterKind):
    name = "skill"
    roots = ("skills",)

    def compile(self, context: AdapterContext) -> SkillsPlan:
        return compile_skills(context)

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        from naftiko.exposers.skills.app import SkillsApp

        return SkillsApp(cast("ExposedAdapter[SkillsPlan]", adapter))


SKILLS = _Skills()
