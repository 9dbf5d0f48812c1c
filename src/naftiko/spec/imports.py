"""Imports: entries of `consumes`, `exposes`, `aggregates` and `binds` that stand in other files.

An imported entry is put where it is named, under its alias where it has one. What it calls or refers to is looked for
in the importing capability. A file that is imported from may itself import the entry from a third one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from urllib.parse import urljoin

from naftiko.diagnostics import START, Fix, Path, has_errors
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.locations import local_file
from naftiko.document.nodes import Mapping, Scalar, Sequence, child, copied, locate, mappings, written
from naftiko.document.reader import MAX_NODES, Document, parse
from naftiko.document.report import Report
from naftiko.document.source import Remote, Source, read_source
from naftiko.errors import SourceError
from naftiko.spec.dialects import rewrite

_IMPORTS = frozenset({"import", "location", "from", "as"})
"""The keys of an import."""

SECTIONS = ("consumes", "exposes", "aggregates", "binds")
"""What can be imported, in the order in which it is."""


def import_all(root: Mapping, source: Source, report: Report) -> tuple[str, ...]:
    """Put imported entries where they are named; returns the files they are in."""
    importer = _Importer(report, source.remote)
    for base in ((), ("capability",)):
        for section in SECTIONS:
            entries = child(root, *base, section)
            if isinstance(entries, Sequence):
                importer.fill(entries, (*base, section), section, Place(source.directory))
    return tuple(importer.files)


@dataclass(frozen=True, slots=True)
class Place:
    """Where locations start from: a folder, or the address of a file on another machine."""

    directory: FilePath
    url: str | None = None


@dataclass(slots=True)
class _File:
    """A file that is imported from, in canonical shape, and what was found in it."""

    document: Document
    root: Mapping
    report: Report
    entries: dict[str, dict[str, Path]] = field(default_factory=dict)
    doubles: dict[tuple[str, str], list[Path]] = field(default_factory=dict)

    def find(self, section: str, wanted: str) -> tuple[Mapping, Path] | None:
        """The entry of a section with a namespace, and its place; the first of a name."""
        place = self.names(section).get(wanted)
        found = child(self.root, *place) if place is not None else None
        return (found, place) if isinstance(found, Mapping) and place is not None else None

    def tell_doubles(self, section: str, wanted: str) -> None:
        """Say of an entry that is imported that others have its name, which nobody can import."""
        first = locate(self.root, self.names(section)[wanted]).line
        for path in self.doubles.pop((section, wanted), ()):
            message = f"the namespace `{wanted}` is declared twice; what is imported is the one on line {first}"
            key = "namespace" if child(self.root, *path, "namespace") is not None else "import"
            self.report.add("duplicate-namespace", message, (*path, key))

    def names(self, section: str) -> dict[str, Path]:
        """The places of a section's entries by namespace."""
        if section not in self.entries:
            named = self.entries[section] = {}
            for base in ((), ("capability",)):
                for path, entry in mappings(child(self.root, *base, section), (*base, section)):
                    is_import = "import" in entry.entries
                    name = (entry.text("as") or entry.text("import")) if is_import else entry.text("namespace")
                    if named.setdefault(name or "", path) is not path:
                        self.doubles.setdefault((section, name or ""), []).append(path)
        return self.entries[section]


@dataclass(slots=True)
class _Importer:
    report: Report
    remote: Remote | None
    files: dict[str, None] = field(default_factory=dict)
    _read_files: dict[str, _File | None] = field(default_factory=dict)
    _size: int = 0

    def fill(self, entries: Sequence, path: Path, section: str, place: Place) -> None:
        put: dict[int, Mapping | None] = {}
        for where, entry in list(mappings(entries, path)):
            if "import" in entry.entries or (entry.entries and _IMPORTS.issuperset(entry.entries)):
                put[id(entry)] = self._imported(entry, where, section, place, ())
        items = [put.get(id(item), item) for item in entries.items]
        entries.items = [item for item in items if item is not None]

    def _imported(self, entry: Mapping, path: Path, section: str, place: Place, trail: Several[str]) -> Mapping | None:
        """The entry that an import at a place means. `trail` are the files on the way to it."""
        location, wanted = entry.text("location"), entry.text("import")
        if location is None or wanted is None:
            message = "an import needs `import`, the namespace, and `from` (or `location`), the file it is in"
            self.report.add("import-failed", message, path, key=True)
            return None
        where = (*path, "location")
        found_at = self._located(location, place, where)
        if found_at is None:
            return None
        file, beside = found_at
        self.files[str(file)] = None
        real = os.path.realpath(file)
        if real in trail:
            self.report.add("import-failed", f"`{location}` imports `{wanted}` from a file that imports it", where)
            return None
        read = self._read(file, real, where)
        if read is None:
            return None
        taken = read.find(section, wanted) if not has_errors(read.document.diagnostics) else None
        if taken is None:
            message = f"{location if beside.url is not None else file} defines no `{wanted}` under `{section}`"
            names = read.names(section)
            self.report.add("import-failed", message, (*path, "import"), help=did_you_mean(wanted, names))
            return None
        original, inside = taken
        told = len(read.report.found)
        read.tell_doubles(section, wanted)
        self.report.found.extend(read.report.found[told:])
        self._size += original.size
        if self._size > MAX_NODES:
            message = f"what is imported adds up to more than {MAX_NODES:,} values"
            self.report.add("import-failed", message, path, key=True)
            return None
        at = written(read.root, inside)
        self.report.found.extend(item for item in read.report.found if item.path[: len(at)] == at)
        found = copied(original)
        if not isinstance(found, Mapping):
            return None
        if "import" in found.entries:
            further = self._imported(found, path, section, beside, (*trail, real))
            if further is None:
                return None
            found = further
        else:
            found.at = at
            found.file = str(file)
        alias = entry.get("as")
        if isinstance(alias, Scalar) and "namespace" in found.entries:
            found.entries["namespace"].node = alias
        return found

    def _located(self, location: str, place: Place, where: Path) -> tuple[FilePath, Place] | None:
        """The file that a location means, and the place of what it names in its turn."""
        url = urljoin(place.url, location) if place.url is not None else location
        if not url.lower().startswith(("http://", "https://")):
            file = local_file(location, place.directory) if place.url is None else None
            if file is None:
                message = f"`{location}` is not a file; only files can be imported"
                self.report.add("import-failed", message, where, help="copy it beside the capability")
                return None
            return file, Place(file.parent)
        if self.remote is None:
            message = f"`{location}` is on another machine, and nothing is imported from there unasked"
            help = "allow it with `--allow-remote-imports`, or copy it beside the capability"
            self.report.add("import-failed", message, where, help=help)
            return None
        try:
            copy = self.remote.file(url)
        except SourceError as error:
            self.report.add("import-failed", f"the import cannot be read: {error}", where)
            return None
        if "#" not in url and place.url is None:
            pinned = f"{url}#sha256={copy.digest}"
            message = f"`{location}` is read as it was when it was fetched first; whoever serves it may change it"
            fix = Fix(pinned, old=location)
            self.report.add("import-not-pinned", message, where, help=f"pin it: `{pinned}`", fix=fix)
        return copy.path, Place(copy.path.parent, url)

    def _read(self, file: FilePath, real: str, where: Path) -> _File | None:
        """A file that is imported from, read once; None where it cannot be."""
        if real in self._read_files:
            return self._read_files[real]
        self._read_files[real] = None
        try:
            document = parse(read_source(file))
        except SourceError as error:
            self.report.add("import-failed", f"the import cannot be read: {error}", where)
            return None
        self.report.found.extend(document.diagnostics)
        root = document.root if isinstance(document.root, Mapping) else Mapping({}, START)
        report = Report(root, str(file))
        rewrite(root, report)
        found = self._read_files[real] = _File(document, root, report)
        return found
