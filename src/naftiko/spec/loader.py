"""A source and its imports to a checked capability: the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import unquote

from naftiko.diagnostics import START, Diagnostic, Path, Severity, has_errors, ordered
from naftiko.diagnostics.suggestions import did_you_mean, nearest
from naftiko.document.nodes import Mapping, Node, Scalar, Sequence, child, mappings
from naftiko.document.reader import Document, parse
from naftiko.document.report import Report
from naftiko.document.source import Source, read_source
from naftiko.errors import SourceError
from naftiko.spec.checks import check
from naftiko.spec.dialects import rewrite
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
    imports = _import(root, source, report)
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
    if isinstance(root.get("consumes"), Sequence):
        return True  # a fragment for other files to import
    close = nearest("capability", root.entries)
    help = f"did you mean `capability` where it says `{close}`?" if close else "add a `capability:` block"
    path: Path = (close,) if close else ()
    report.add("not-a-capability", "the file has no `capability`", path, key=True, help=help)
    return False


def _import(root: Mapping, source: Source, report: Report) -> tuple[str, ...]:
    """Put imported adapters where they are named; returns the files they are in."""
    files: dict[str, None] = {}
    for base in ((), ("capability",)):
        consumes = child(root, *base, "consumes")
        if not isinstance(consumes, Sequence):
            continue
        put: dict[int, Mapping | None] = {}
        for path, entry in list(mappings(consumes, (*base, "consumes"))):
            if "import" in entry.entries:
                location = local_file(entry.text("location") or "", source.directory)
                files[str(location)] = None
                put[id(entry)] = _imported(entry, path, source, report)
        items = [put.get(id(item), item) for item in consumes.items]
        consumes.items = [item for item in items if item is not None]
    return tuple(files)


def _imported(entry: Mapping, path: Path, source: Source, report: Report) -> Mapping | None:
    location, wanted = entry.text("location"), entry.text("import")
    if location is None or wanted is None:
        report.add("import-failed", "an import needs `location` and `import`", path, key=True)
        return None
    file = local_file(location, source.directory)
    if file is None:
        report.add("import-failed", f"`{location}` is not a file; only files can be imported", (*path, "location"))
        return None
    try:
        imported = parse(read_source(file))
    except SourceError as error:
        report.add("import-failed", f"the import cannot be read: {error}", (*path, "location"))
        return None
    report.found.extend(imported.diagnostics)
    inner = Report(imported.root if isinstance(imported.root, Mapping) else Mapping({}, START), str(file))
    rewrite(inner.root, inner)
    places: dict[str, Path] = {}
    adapters: dict[str, Mapping] = {}
    for base in ((), ("capability",)):
        for place, adapter in mappings(child(inner.root, *base, "consumes"), (*base, "consumes")):
            adapters[adapter.text("namespace") or ""] = adapter
            places[adapter.text("namespace") or ""] = place
    found = adapters.get(wanted)
    if found is not None:
        place = places[wanted]
        report.found.extend(item for item in inner.found if item.path[: len(place)] == place)
    if found is None or has_errors(imported.diagnostics):
        message = f"{file} defines no namespace `{wanted}`"
        report.add("import-failed", message, (*path, "import"), help=did_you_mean(wanted, adapters))
        return None
    alias = entry.get("as")
    if isinstance(alias, Scalar):
        found.entries["namespace"].node = alias
    found.file = str(file)
    return found


def local_file(location: str, directory: FilePath) -> FilePath | None:
    """The file a `location` means; None where it has another scheme.

    Published files write `file:///./secrets.yaml` for a path relative to the capability file, as well as plain ones.
    """
    scheme, separator, rest = location.partition("://")
    if not separator:
        return directory / location
    if scheme.lower() != "file":
        return None
    rest = unquote(rest)
    if rest.startswith(("/./", "/../")):
        return directory / rest[1:]
    return FilePath(rest) if rest.startswith("/") else directory / rest
