"""Namespaces: each is declared once."""

from __future__ import annotations

from collections.abc import Iterator

from naftiko.diagnostics import Path
from naftiko.document.nodes import file_of, locate
from naftiko.document.report import Report
from naftiko.spec.models.capability import CapabilityFile


def check(model: CapabilityFile, report: Report) -> None:
    seen: dict[str, Path] = {}
    for namespace, path in _declared(model):
        if namespace in seen:
            line = locate(report.root, seen[namespace]).line
            file = file_of(report.root, seen[namespace])
            first = (
                f"on line {line}" if file == file_of(report.root, path) else f"in {file or report.file}, line {line}"
            )
            message = f"the namespace `{namespace}` is declared twice; it is first {first}"
            report.add("duplicate-namespace", message, path)
        else:
            seen[namespace] = path


def _declared(model: CapabilityFile) -> Iterator[tuple[str, Path]]:
    body = model.capability
    for base, owner in (((), model), (("capability",), body)):
        if owner is None:
            continue
        for index, adapter in enumerate(owner.consumes):
            yield adapter.namespace, (*base, "consumes", index, "namespace")
        for index, bind in enumerate(owner.binds or ()):
            yield bind.namespace, (*base, "binds", index, "namespace")
    if body is not None:
        for index, exposed in enumerate(body.exposes):
            if exposed.namespace is not None:
                yield exposed.namespace, ("capability", "exposes", index, "namespace")
        for index, aggregate in enumerate(body.aggregates or ()):
            if aggregate.namespace is not None:
                yield aggregate.namespace, ("capability", "aggregates", index, "namespace")
