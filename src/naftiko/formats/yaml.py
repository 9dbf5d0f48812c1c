"""YAML, read with the same bounds as a capability file."""

from __future__ import annotations

from naftiko.diagnostics import has_errors
from naftiko.document.nodes import plain
from naftiko.document.reader import parse
from naftiko.document.source import Source
from naftiko.formats.base import Check, Format
from naftiko.values.jsontext import encode


def _decode(data: bytes, charset: str, check: Check) -> object:
    document = parse(Source("response", data), check)
    if document.root is None or has_errors(document.diagnostics):
        raise ValueError(document.diagnostics[-1].message)
    return plain(document.root)


YAML = Format("yaml", "application/yaml, text/yaml;q=0.9, */*;q=0.5", "application/json", encode, _decode)
