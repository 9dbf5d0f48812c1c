"""Response formats by name (`outputRawFormat`).

To add one: write a module with a `Format`, and put it into `formats()`; or give it the entry point
`naftiko.formats`.
"""

from __future__ import annotations

from naftiko.formats.avro import AVRO
from naftiko.formats.base import Format
from naftiko.formats.binary import BINARY
from naftiko.formats.delimited import CSV, PSV, TSV
from naftiko.formats.html import HTML
from naftiko.formats.json import JSON
from naftiko.formats.markdown import MARKDOWN
from naftiko.formats.ndjson import NDJSON
from naftiko.formats.protobuf import PROTOBUF
from naftiko.formats.text import TEXT
from naftiko.formats.xml import XML
from naftiko.formats.yaml import YAML
from naftiko.registry import Registry


def formats() -> Registry[Format]:
    """A registry with every format that is carried out."""
    registry: Registry[Format] = Registry("response format")
    for item in (JSON, TEXT, XML, CSV, TSV, PSV, YAML, BINARY, NDJSON, AVRO, PROTOBUF, HTML, MARKDOWN):
        registry.add(item.name, item)
    return registry
