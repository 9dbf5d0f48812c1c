"""Placeholders in the text of a prompt: `{{name}}`, each replaced once, so that no argument is read as a template."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([^{}\s]{1,200})[ \t]*\}\}")


def placeholders(text: str) -> list[str]:
    """The names in a text, in order."""
    return _PLACEHOLDER.findall(text)


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with values in place of their names; other names stay as they are."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
