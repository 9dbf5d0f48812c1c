"""What is built in, and what installed packages add to it: formats, schemes, steps, adapters, sources of variables.

A package adds something by an entry point (PyPA entry points specification) of the group `naftiko.formats`,
`naftiko.schemes`, `naftiko.steps`, `naftiko.adapters` or `naftiko.providers`, whose object is what the registry of that
kind holds. Its name is what a capability writes. One that is broken, or takes a name that is taken, is left out, and
the log says so. `examples/extension` is a whole package with one of each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from naftiko.adapters import adapters
from naftiko.adapters.kind import AdapterKind
from naftiko.bindings.providers import Provider, providers
from naftiko.compile import Kinds
from naftiko.consumers.http.schemes import SchemeKind, schemes
from naftiko.formats import formats
from naftiko.formats.base import Format
from naftiko.registry import Registry
from naftiko.steps import steps
from naftiko.steps.kind import StepKind

_log = logging.getLogger("naftiko.extensions")


@dataclass(frozen=True, slots=True)
class Extensions:
    """Everything that a capability can name, by name. Registries can be added to until a capability is loaded."""

    formats: Registry[Format]
    schemes: Registry[SchemeKind]
    steps: Registry[StepKind]
    adapters: Registry[AdapterKind]
    providers: Registry[Provider]

    @property
    def kinds(self) -> Kinds:
        """What the compiler needs of it."""
        return Kinds(self.formats, self.steps, self.schemes, self.adapters)


def built_in() -> Extensions:
    """What this package has."""
    return Extensions(formats(), schemes(), steps(), adapters(), providers())


@cache
def installed() -> Extensions:
    """What this package has, and what installed packages add; looked for once."""
    found = built_in()
    groups: Mapping[str, tuple[Registry[Any], type | None]] = {
        "naftiko.formats": (found.formats, Format),
        "naftiko.schemes": (found.schemes, SchemeKind),
        "naftiko.steps": (found.steps, StepKind),
        "naftiko.adapters": (found.adapters, AdapterKind),
        "naftiko.providers": (found.providers, None),
    }
    points = entry_points()  # reads what each installed package says of itself, so it is asked once
    for group, (registry, wanted) in groups.items():
        for point in points.select(group=group):
            owner = point.dist.name if point.dist is not None else "a package"
            try:
                item = point.load()
                if not (callable(item) if wanted is None else isinstance(item, wanted)):
                    raise TypeError(f"it is no {wanted.__name__ if wanted is not None else 'function'}")
                registry.add(point.name, item)
            except Exception as error:  # whatever a package does when it is imported
                _log.warning("%s: the extension `%s` of `%s` is left out: %s", owner, point.name, group, error)
    return found
