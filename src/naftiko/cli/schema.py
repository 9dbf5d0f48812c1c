"""`naftiko schema`."""

from __future__ import annotations

import json
from typing import Any

import typer

from naftiko.extensions import installed
from naftiko.spec.models.authentication import SCHEME_NAMES
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.consumes import RAW_FORMATS
from naftiko.spec.models.exposes import ADAPTERS
from naftiko.spec.models.operations import STEPS

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

_IMPORT = {
    "type": "object",
    "description": "An adapter that another file defines.",
    "properties": {
        "import": {"type": "string"},
        "location": {"type": "string"},
        "as": {"type": "string"},
        "description": {"type": "string"},
    },
    "required": ["import", "location"],
    "additionalProperties": False,
}


@app.command()
def schema() -> None:
    """Print a JSON Schema of capability files, for editors that complete and check YAML.

    Save it, and start a file with `# yaml-language-server: $schema=./naftiko.schema.json`.

    Example: naftiko schema
    """
    typer.echo(json.dumps(described(), indent=2))


def described() -> dict[str, Any]:
    """The schema of what is written: the models, and the two forms that are rewritten before models see them."""
    built = CapabilityFile.model_json_schema(by_alias=True)
    definitions = built["$defs"]
    definitions["Import"] = _IMPORT
    for owner in (built, definitions["Body"]):
        items = owner["properties"]["consumes"]
        items["items"] = {"anyOf": [items["items"], {"$ref": "#/$defs/Import"}]}
    known = installed()
    _with_kinds(definitions, "OtherAuthentication", set(known.schemes) - set(SCHEME_NAMES))
    _with_kinds(definitions, "OtherStep", set(known.steps) - set(STEPS))
    _with_kinds(definitions, "ExposesOther", set(known.adapters) - set(ADAPTERS))
    formats = sorted({*RAW_FORMATS, *known.formats})
    definitions["ConsumedOperation"]["properties"]["outputRawFormat"] = {"enum": formats, "default": "json"}
    definitions["ConsumedOperation"]["properties"]["body"]["anyOf"].append({"type": "string"})
    definitions["OutputParameter"]["properties"]["items"]["anyOf"].append(
        {"type": "array", "items": {"$ref": "#/$defs/OutputParameter"}}
    )
    _with_numbers(built)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **built, "title": "Naftiko capability"}


def _with_kinds(definitions: dict[str, Any], name: str, kinds: set[str]) -> None:
    """Let what an extension has be one of the kinds that are installed."""
    kind: dict[str, Any] = {"enum": sorted(kinds)} if kinds else {"not": {}}
    definitions[name]["properties"]["type"] = kind


def _with_numbers(node: object) -> None:
    """Where text is asked for, a number or boolean means its own spelling."""
    if isinstance(node, dict):
        if node.get("type") == "string" and "const" not in node and "enum" not in node:
            node["type"] = ["string", "number", "boolean"]
        for inner in node.values():
            _with_numbers(inner)
    elif isinstance(node, list):
        for inner in node:
            _with_numbers(inner)
