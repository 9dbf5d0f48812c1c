"""Scripts in sandboxes: a module for each language.

A script sees what it is given, and nothing else of the process or the machine. It is bounded in time and memory by its
sandbox; what is said of statements is a bound in time here, since no sandbox counts them.
"""

from __future__ import annotations

from naftiko.registry import Registry
from naftiko.steps.scripting.javascript import JAVASCRIPT
from naftiko.steps.scripting.language import Language, ScriptError, Task
from naftiko.steps.scripting.python import PYTHON

__all__ = ["Language", "ScriptError", "Task", "languages"]


def languages() -> Registry[Language]:
    """A registry with every language that scripts can be written in."""
    registry: Registry[Language] = Registry("script language")
    for language in (JAVASCRIPT, PYTHON):
        registry.add(language.name, language)
    return registry
