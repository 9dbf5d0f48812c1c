"""Parts of OpenAPI documents, with the place of each: references are followed on the way, to other files, too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from naftiko.authoring.openapi.texts import Text
from naftiko.diagnostics import START, Diagnostic, Path, Severity
from naftiko.diagnostics.codes import CODES
from naftiko.errors import SourceError

Fetch = Callable[[str], Text]
"""Reads a document by its path or URL; raises SourceError where it cannot, or may not, be read."""

_MOST_HOPS = 50
_LONGEST = 500
_SUFFIXES = (".yaml", ".yml", ".json")


class View:
    """A value of a document. One that is not there is falsy, and has the place where it would be.

    `beside` is what stands beside the reference that led here, if one did.
    """

    __slots__ = ("beside", "library", "path", "text", "value")

    def __init__(self, library: Library, text: Text, path: Path, value: object, beside: View | None = None) -> None:
        self.library = library
        self.text = text
        self.path = path
        self.value = value
        self.beside = beside

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, key: str) -> View:
        """The value of a key, with references followed."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        found = View(self.library, self.text, (*self.path, key), value)
        return self.library.followed(found) if isinstance(value, dict) else found

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> Iterator[tuple[str, View]]:
        """The entries of a mapping, with references followed; what is no mapping has none, which is told."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                found = View(self.library, self.text, (*self.path, key), value)
                yield key, self.library.followed(found) if isinstance(value, dict) else found
        elif self.value is not None:
            self.invalid("an object belongs here")

    def each(self) -> Iterator[View]:
        """The items of a list, with references followed; what is no list has none, which is told."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                found = View(self.library, self.text, (*self.path, index), value)
                yield self.library.followed(found) if isinstance(value, dict) else found
        elif self.value is not None:
            self.invalid("a list belongs here")

    def string(self, key: str) -> str:
        """The text of a key; empty where there is none."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value.strip() if isinstance(value, str) else "" if isinstance(value, dict | list | None) else str(value)

    def is_true(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is True

    # What there is to say

    def left(self, message: str, help: str = "") -> None:
        """Something here that a capability cannot express."""
        self.library.add("openapi-left-out", message, self, help)

    def changed(self, message: str, help: str = "", *, is_warning: bool = False) -> None:
        """Something here that is written otherwise than it stands here."""
        self.library.add("openapi-changed", message, self, help, Severity.WARNING if is_warning else None)

    def invalid(self, message: str, help: str = "") -> None:
        """Something here that is not as OpenAPI has it."""
        self.library.add("openapi-invalid", message, self, help)


class Library:
    """A document, those that it refers to, and what was found in them."""

    def __init__(self, main: Text, fetch: Fetch) -> None:
        self.main = main
        self._fetch = fetch
        self._texts: dict[str, Text | SourceError] = {main.place: main}
        self._followed: dict[tuple[str, str], View | None] = {}
        self.found: dict[tuple[str, Path, str], tuple[Text, Diagnostic]] = {}

    @property
    def root(self) -> View:
        return View(self, self.main, (), self.main.value)

    def add(self, code: str, message: str, view: View, help: str = "", severity: Severity | None = None) -> None:
        """Keep a finding, once for a place. Its line is looked for when all have been found."""
        known = CODES[code]
        found = Diagnostic(
            code,
            known.severity if severity is None else severity,
            message[:_LONGEST],
            view.text.name,
            START,  # a place that is not looked for yet
            view.path,
            help[:_LONGEST],
        )
        self.found.setdefault((view.text.name, view.path, message), (view.text, found))

    def followed(self, view: View) -> View:
        """Where a reference leads, in the end; a value that is none leads to itself.

        One that leads nowhere is told, and leads to nothing.
        """
        hops = 0
        beside: View | None = None
        while isinstance(view.value, dict) and isinstance(view.value.get("$ref"), str):
            if beside is None and len(view.value) > 1:
                beside = View(self, view.text, view.path, {k: v for k, v in view.value.items() if k != "$ref"})
            reference: str = view.value["$ref"]
            hops += 1
            key = (view.text.place, reference)
            if key not in self._followed:
                self._followed[key] = self._found(view, reference)
            found = self._followed[key]
            if found is None or hops > _MOST_HOPS:
                if hops > _MOST_HOPS:
                    self._lost(view, f"`$ref: {reference}` leads back to itself")
                return View(self, view.text, view.path, None)
            view = found
        return view if beside is None else View(self, view.text, view.path, view.value, beside)

    def _lost(self, view: View, message: str, help: str = "") -> None:
        place = View(self, view.text, (*view.path, "$ref"), None)
        self.add("openapi-reference", message, place, help)

    def _found(self, view: View, reference: str) -> View | None:
        address, fragment = urldefrag(reference)
        try:
            text = self._text(view.text, address) if address else view.text
        except SourceError as error:
            self._lost(view, f"`$ref: {reference}` cannot be read: {error}")
            return None
        node: object = text.value
        path: list[str | int] = []
        for part in _parts(fragment):
            if isinstance(node, dict) and part in node:
                node = node[part]
                path.append(part)
            elif isinstance(node, list) and part.isdecimal() and int(part[:9]) < len(node):
                node = node[int(part)]
                path.append(int(part))
            else:
                self._lost(view, f"`$ref: {reference}` leads nowhere: there is no `{part}`")
                return None
        if fragment and not fragment.startswith("/"):
            self._lost(view, f"`$ref: {reference}` names an anchor, which is not looked for", "write a JSON Pointer")
            return None
        return View(self, text, tuple(path), node)

    def _text(self, base: Text, address: str) -> Text:
        place = _joined(base.place, address)
        known = self._texts.get(place)
        if known is None:
            try:
                known = self._fetch(place)
            except SourceError as error:
                known = error
            self._texts[place] = known
        if isinstance(known, SourceError):
            raise known
        return known


def _parts(fragment: str) -> list[str]:
    if not fragment.startswith("/"):
        return []
    return [unquote(part).replace("~1", "/").replace("~0", "~") for part in fragment[1:].split("/")]


def _joined(base: str, address: str) -> str:
    """Where a relative reference leads.

    Raises:
        SourceError: it leads to another machine, or to what is no JSON or YAML file.
    """
    if "://" in base:
        place = urljoin(base, address)
        if urlsplit(place)[:2] != urlsplit(base)[:2]:
            raise SourceError("it is on another machine than the document")
        return place
    if "://" in address:
        raise SourceError("it is on another machine; fetch it, and refer to the file")
    place = os.path.normpath(os.path.join(os.path.dirname(base), unquote(address)))
    if not place.lower().endswith(_SUFFIXES):
        raise SourceError(f"only files that end in {', '.join(_SUFFIXES)} are read")
    return place
