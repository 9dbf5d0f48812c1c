"""The one way in: from the text of a file to its plan, with everything found about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from naftiko.compile import compile_capability
from naftiko.diagnostics import Diagnostic
from naftiko.document.nodes import Node
from naftiko.document.source import Source
from naftiko.extensions import Extensions, installed
from naftiko.plan import Plan
from naftiko.spec.loader import Loaded, load


@dataclass(frozen=True, slots=True)
class Compiled:
    """A document, loaded and compiled. `plan` is None where it is no capability; `diagnostics` say why."""

    loaded: Loaded
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]


def compiled(
    source: Source, extensions: Extensions | None = None, look: Callable[[Node, str], None] | None = None
) -> Compiled:
    """Load and compile a document; whatever is wrong with it is in what comes back.

    `look` sees the document as it is written, before anything in it is rewritten.
    """
    loaded = load(source, look)
    if loaded.model is None:
        return Compiled(loaded, None, loaded.diagnostics)
    plan, diagnostics = compile_capability(loaded, (extensions or installed()).kinds)
    return Compiled(loaded, plan, diagnostics)
