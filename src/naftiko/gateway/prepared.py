"""A file before it is served: read, loaded and compiled, with whatever keeps it from being served."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from naftiko.diagnostics import Diagnostic, Severity
from naftiko.document.source import MAX_BYTES, Remote, read_regular, read_source
from naftiko.errors import SourceError
from naftiko.extensions import Extensions
from naftiko.plan import Plan
from naftiko.runtime.loading import compiled


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file, loaded and compiled. `reason` says why it cannot be served, where it cannot."""

    file: str
    digest: str
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()
    reason: str | None = None
    imports: tuple[str, ...] = ()


def prepare(
    file: str, stdin: BinaryIO | None = None, extensions: Extensions | None = None, remote: Remote | None = None
) -> Prepared:
    """Load and compile a file; whatever is wrong is in what comes back."""
    try:
        source = read_source(file, stdin, remote)
    except SourceError as error:
        return Prepared(file, "", None, reason=str(error))
    digest = hashlib.sha256(source.data).hexdigest()
    found = compiled(source, extensions)
    loaded, plan, diagnostics = found.loaded, found.plan, found.diagnostics
    if plan is None:
        first = next((found for found in loaded.diagnostics if found.severity is Severity.ERROR), None)
        why = f"{first.message} (line {first.span.line})" if first is not None else "it is no capability"
        return Prepared(file, digest, None, loaded.diagnostics, why)
    reason = None if runs(plan) else "nothing in it can be carried out; `naftiko validate` says why"
    return Prepared(file, digest, plan, diagnostics, reason, loaded.imports)


def runs(plan: Plan) -> bool:
    """Whether anything of a plan can be carried out."""
    served = (adapter for adapter in plan.adapters if adapter.broken is None)
    return any(function.broken is None for adapter in served for function in adapter.carried)


def digest_of(file: str) -> str:
    """What tells whether a file has changed; empty where it cannot be read."""
    try:
        return hashlib.sha256(read_regular(file, MAX_BYTES + 1)).hexdigest()
    except OSError:
        return ""
