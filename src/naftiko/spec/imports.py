"""Imports: entries of `consumes`, `exposes`, `aggregates` and `binds` that stand in other files.

An imported entry is put where it is named, under its alias where it has one. What it calls or refers to is looked for
in the importing capability. A file that is imported from may itself import the entry from a third one.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from naftiko.diagnostics import START, Path, has_errors
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.locations import local_file
from naftiko.document.nodes import Mapping, Scalar, Sequence, child, mappings, written
from naftiko.document.reader import Document, parse
from naftiko.document.report import Report
from naftiko.document.source import Source, read_source
from naftiko.errors import SourceError
from naftiko.spec.dialects import rewrite

SECTIONS = ("consumes", "exposes", "aggregates", "binds")
"""What can be imported, in the order in which it is."""


def import_all(root: Mapping, source: Source, report: Report) -> tuple[str, ...]:
    """Put imported entries where they are named; returns the files they are in."""
    importer = _Importer(report)
    for base in ((), ("capability",)):
        for section in SECTIONS:
            entries = child(root, *base, section)
            if isinstance(entries, Sequence):
                importer.fill(entries, (*base, section), section, source.directory)
    return tuple(importer.files)


@dataclass(slots=True)
class _File:
    """A file that is imported from, in canonical shape, and what was found in it."""

    document: Document
    root: Mapping
    report: Report


@dataclass(slots=True)
class _Importer:
    report: Report
    files: dict[str, None] = field(default_factory=dict)
    _taken: dict[tuple[str, str], Path] = field(default_factory=dict)

    def fill(self, entries: Sequence, path: Path, section: str, directory: FilePath) -> None:
        put: dict[int, Mapping | None] = {}
        for where, entry in list(mappings(entries, path)):
            if "import" in entry.entries:
                put[id(entry)] = self._imported(entry, where, section, directory, ())
        items = [put.get(id(item), item) for item in entries.items]
        entries.items = [item for item in items if item is not None]

    def _imported(
        self, entry: Mapping, path: Path, section: str, directory: FilePath, trail: Several[str]
    ) -> Mapping | None:
        """The entry that an import means. `trail` are the files on the way to it."""
        location, wanted = entry.text("location"), entry.text("import")
        if location is None or wanted is None:
            message = "an import needs `import`, the namespace, and `from` (or `location`), the file it is in"
            self.report.add("import-failed", message, path, key=True)
            return None
        where = (*path, "location")
        file = local_file(location, directory)
        if file is None:
            message = f"`{location}` is not a file; only files can be imported"
            self.report.add("import-failed", message, where, help="copy it beside the capability")
            return None
        self.files[str(file)] = None
        real = str(file.resolve())
        if real in trail:
            self.report.add("import-failed", f"`{location}` imports `{wanted}` from a file that imports it", where)
            return None
        read = self._read(file, where)
        if read is None:
            return None
        found, place = _find(read.root, section, wanted)
        if found is not None and place is not None:
            at = written(read.root, place)
            self.report.found.extend(item for item in read.report.found if item.path[: len(at)] == at)
        if found is None or has_errors(read.document.diagnostics):
            names = [name for _, name in _names(read.root, section)]
            message = f"{file} defines no `{wanted}` under `{section}`"
            self.report.add("import-failed", message, (*path, "import"), help=did_you_mean(wanted, names))
            return None
        if "import" in found.entries:
            found = self._imported(found, path, section, file.parent, (*trail, real))
            if found is None:
                return None
        else:
            found.at = found.at or place
            found.file = str(file)
        alias = entry.get("as")
        if isinstance(alias, Scalar) and "namespace" in found.entries:
            found.entries["namespace"].node = alias
        return found

    def _read(self, file: FilePath, where: Path) -> _File | None:
        try:
            document = parse(read_source(file))
        except SourceError as error:
            self.report.add("import-failed", f"the import cannot be read: {error}", where)
            return None
        self.report.found.extend(document.diagnostics)
        root = document.root if isinstance(document.root, Mapping) else Mapping({}, START)
        report = Report(root, str(file))
        rewrite(root, report)
        return _File(document, root, report)


def _names(root: Mapping, section: str) -> list[tuple[Path, str]]:
    found = []
    for base in ((), ("capability",)):
        for path, entry in mappings(child(root, *base, section), (*base, section)):
            name = entry.text("as") or entry.text("import") if "import" in entry.entries else entry.text("namespace")
            found.append((path, name or ""))
    return found


def _find(root: Mapping, section: str, wanted: str) -> tuple[Mapping | None, Path | None]:
    for path, name in _names(root, section):
        if name == wanted:
            found = child(root, *path)
            return (found, path) if isinstance(found, Mapping) else (None, None)
    return None, None
