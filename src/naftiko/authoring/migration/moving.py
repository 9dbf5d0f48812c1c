"""One file, moved forward to a version of the language: its text changes where the version differs, nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import yaml

from naftiko.authoring.migration.blocks import quoted
from naftiko.authoring.migration.concrete import Mapping, Node, mappings, read, resolved
from naftiko.authoring.migration.edits import Edits
from naftiko.authoring.migration.maps import ToMaps
from naftiko.authoring.migration.notes import Notes
from naftiko.authoring.migration.older import bring_to_alpha2
from naftiko.authoring.migration.units import owners
from naftiko.authoring.migration.versions import NEWEST, VERSIONS, has_maps, rank
from naftiko.diagnostics import START, Diagnostic, Severity, has_errors, ordered
from naftiko.document.locations import local_file
from naftiko.document.reader import parse
from naftiko.document.source import Source


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a file. `after` is None where nothing can be done with it; `findings` say why.

    `version` is the one that it named, and `imports` are the files that it imports from.
    """

    source: Source
    before: str
    after: str | None
    version: str | None
    findings: tuple[Diagnostic, ...]
    imports: tuple[Path, ...] = ()
    names: Names[str, str] = field(default_factory=dict)
    """Names that are new, with the old one of each; the empty text where there was none."""

    @property
    def is_changed(self) -> bool:
        return self.after is not None and self.after != self.before


def move(source: Source, to: str = NEWEST) -> Moved:
    """Move a capability, or a file that others import from, forward to a version.

    What a version of the language cannot say is a finding and stays as it is written; nothing is dropped.
    """
    document = parse(source)
    text = document.text
    if has_errors(document.diagnostics):
        return Moved(source, text, None, None, document.diagnostics)
    root = _tree(text)
    if not isinstance(root, Mapping):
        return Moved(source, text, None, None, (_refusal(source, "the file is YAML, but not a mapping"),))
    version = root.text("ikanos") or root.text("naftiko")
    imports = tuple(_imports(root, source))
    if version in VERSIONS and rank(version) > rank(to):
        message = f"the file is of version {version}; files are moved forward only, not to {to}"
        return Moved(source, text, None, version, (_refusal(source, message),), imports)
    found: list[Diagnostic] = []
    if version not in VERSIONS and version is not None:
        message = f"version {version[:40]} is not known; the file is taken by its shape"
        found.append(replace(_refusal(source, message), severity=Severity.WARNING))
    names: dict[str, str] = {}
    after = text
    for change in _changes(version, to):
        tree = _tree(after)
        if isinstance(tree, Mapping):
            edits = Edits(after)
            notes = Notes(source.name, edits)
            change(tree, edits, notes)
            found += notes.found
            names.update(notes.names)
            after = edits.applied()
    return Moved(source, text, after, version, ordered(found), imports, names)


Change: TypeAlias = Callable[[Mapping, Edits, Notes], None]


def _changes(version: str | None, to: str) -> Iterator[Change]:
    """The changes from a version to another one, each of which is made to the text that the one before left."""
    if rank(version) < rank("1.0.0-alpha2"):
        yield lambda root, edits, notes: bring_to_alpha2(root, edits, notes, version or "")
    if has_maps(to):
        yield lambda root, edits, notes: ToMaps(edits, notes, is_indenting=True).document(root)
        yield lambda root, edits, notes: ToMaps(edits, notes, is_indenting=False).document(root)
    yield lambda root, edits, _: _key(root, edits, to)


def _key(root: Mapping, edits: Edits, to: str) -> None:
    """The version and its key."""
    key = "ikanos" if has_maps(to) else "naftiko"
    for entry in root.entries:
        if entry.key.text in ("naftiko", "ikanos"):
            edits.replace(entry.key.start, entry.key.end, key)
            value = resolved(entry.value)
            raw = edits.text[entry.value.start : entry.value.end]
            mark = raw[0] if raw[:1] in ("'", '"') else ""
            if value is entry.value and getattr(value, "text", "") != to:
                edits.replace(value.start, value.end, f"{mark}{to}{mark}" if mark else quoted(to))


def _tree(text: str) -> Node | None:
    try:
        return read(text)
    except yaml.YAMLError:  # pragma: no cover - what was read before is read again
        return None


def _imports(root: Mapping, source: Source) -> Iterator[Path]:
    for owner in owners(root):
        for section in ("consumes", "exposes", "aggregates", "binds"):
            for entry in mappings(owner.get(section)):
                location = entry.text("from") if entry.entry("from") else entry.text("location")
                if entry.entry("import") is not None and location is not None:
                    file = local_file(location, source.directory)
                    if file is not None:
                        yield file


def _refusal(source: Source, message: str) -> Diagnostic:
    return Diagnostic("migration-left", Severity.ERROR, message, source.name, START)
