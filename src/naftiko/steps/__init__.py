"""What a unit does step by step: a module for each kind of step.

To add one: write a module with a `StepKind`, and put it into `steps()`; or give it the entry point `naftiko.steps`.
"""

from __future__ import annotations

from naftiko.registry import Registry
from naftiko.steps.call import CALL
from naftiko.steps.kind import StepKind
from naftiko.steps.lookup import LOOKUP
from naftiko.steps.script import SCRIPT


def steps() -> Registry[StepKind]:
    """A registry with every built-in kind of step."""
    registry: Registry[StepKind] = Registry("kind of step")
    for kind in (CALL, LOOKUP, SCRIPT):
        registry.add(kind.name, kind)
    return registry
