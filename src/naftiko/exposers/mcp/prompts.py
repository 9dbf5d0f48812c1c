"""Prompts as MCP clients see them (MCP 2025-11-25, prompts), and the messages of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.engine.arguments import Arguments
from naftiko.exposers.adapter import McpAdapter
from naftiko.plan import PromptPlan
from naftiko.values.prompts import filled

if TYPE_CHECKING:  # the SDK is imported when the first message comes
    from mcp_types import Prompt

LARGEST_FILE = 1024 * 1024
"""The bytes of a file that is a prompt."""


@dataclass(frozen=True, slots=True, eq=False)
class ServedPrompt:
    """A prompt under the name it is listed by, and its adapter."""

    adapter: McpAdapter
    plan: PromptPlan
    name: str
    arguments: Arguments

    def listed(self) -> Prompt:
        """What `prompts/list` has of it."""
        from mcp_types import Icon, Prompt, PromptArgument

        plan = self.plan
        broken = plan.function.broken
        about = f"{plan.description or plan.name} (cannot be used: {broken})" if broken else plan.description
        return Prompt(
            name=self.name,
            title=plan.title,
            description=about,
            arguments=[
                PromptArgument(name=item.name, title=item.title, description=item.description, required=item.required)
                for item in plan.arguments
            ]
            or None,
            icons=[Icon.model_validate(icon) for icon in plan.icons] or None,
        )

    def problem(self, given: Mapping[str, str]) -> str | None:
        """What is wrong with the arguments of a call, if anything is."""
        names = [item.name for item in self.plan.arguments]
        for name in given:
            if name not in names:
                hint = did_you_mean(name, names) if names else "it takes none"
                return f"the prompt `{self.name}` has no argument `{name[:200]}`; {hint}"
        missing = [item.name for item in self.plan.arguments if item.required and item.name not in given]
        if missing:
            return f"the prompt `{self.name}` needs {', '.join(f'`{name}`' for name in missing)}"
        return None

    def messages(self, given: Mapping[str, str]) -> list[dict[str, object]]:
        """The messages of a prompt that calls nothing. May read its file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is too large, or no text.
        """
        plan = self.plan
        values = {item.name: given.get(item.name, "") for item in plan.arguments}
        if plan.file is None:
            return [message(item.role, filled(item.text, values)) for item in plan.messages]
        with Path(plan.file).open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ValueError(f"the prompt's file has more than {LARGEST_FILE // 1024} KiB")
        return [message("user", filled(data.decode("utf-8-sig"), values))]


def message(role: str, text: str) -> dict[str, object]:
    """A message of text."""
    return {"role": role, "content": {"type": "text", "text": text}}
