"""A source and its imports to a checked capability: the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from naftiko.diagnostics import START, Diagnostic, Path, Severity, has_errors, ordered
from naftiko.diagnostics.suggestions import nearest
from naftiko.document.nodes import Mapping, Node, Sequence
from naftiko.document.reader import Document, parse
from naftiko.document.report import Report
from naftiko.document.source import Source
from naftiko.spec.checks import check
from naftiko.spec.dialects import rewrite
from naftiko.spec.imports import SECTIONS, import_all
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.shape import build


@dataclass(frozen=True, slots=True)
class Loaded:
    """A capability file, read and checked.

    `model` is None where the file is no capability at all; `diagnostics` says why. `root` is the tree the model was
    built from, for positions and faults.
    """

    document: Document
    root: Mapping
    model: CapabilityFile | None
    diagnostics: tuple[Diagnostic, ...]
    imports: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return self.document.name

    @property
    def directory(self) -> FilePath:
        return self.document.source.directory


def load(source: Source, look: Callable[[Node, str], None] | None = None) -> Loaded:
    """Read a capability. Whatever is wrong with it is in `diagnostics`; nothing is raised.

    `look` sees the tree and the name of the document as it is written, before anything in it is rewritten.
    """
    document = parse(source)
    if look is not None and document.root is not None:
        look(document.root, document.name)
    root = document.root
    if not isinstance(root, Mapping):
        return Loaded(document, Mapping({}, START), None, ordered((*document.diagnostics, *_no_mapping(document))))
    report = Report(root, document.name)
    report.found.extend(document.diagnostics)
    fatal = has_errors(document.diagnostics) or not _is_capability(root, report)
    if fatal:
        return Loaded(document, root, None, ordered(report.found))
    rewrite(root, report)
    imports = import_all(root, source, report)
    model, misfits = build(root, report)
    report.found.extend(misfits)
    check(model, root, report)
    return Loaded(document, root, model, ordered(report.found), imports)


def _no_mapping(document: Document) -> Iterator[Diagnostic]:
    if document.root is not None:
        message = "the file is YAML, but not a mapping with `naftiko:` and `capability:`"
        yield Diagnostic("not-a-capability", Severity.ERROR, message, document.name, document.root.span, ())


def _is_capability(root: Mapping, report: Report) -> bool:
    if isinstance(root.get("capability"), Mapping):
        return True
    if "capability" in root.entries:
        report.add("not-a-capability", "`capability` is empty or not a mapping", ("capability",), key=True)
        return False
    if any(isinstance(root.get(section), Sequence) for section in SECTIONS):
        return True  # a file for others to import from
    close = nearest("capability", root.entries)
    help = f"did you mean `capability` where it says `{close}`?" if close else "add a `capability:` block"
    path: Path = (close,) if close else ()
    report.add("not-a-capability", "the file has no `capability`", path, key=True, help=help)
    return False
