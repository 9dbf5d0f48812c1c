"""What `naftiko import openapi` takes for a large document: `python benchmarks/importing.py [--mebibytes N]`.

Makes a document of so many MiB, as JSON and as YAML, imports each with a capability of each tag, and prints seconds of
CPU and the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml


def document(size: int) -> dict[str, object]:
    """An API of so many bytes as JSON: operations of many tags, with bodies and answers of shared schemas."""
    schemas = {
        f"Thing{number}": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "integer", "format": "int64"},
                **{f"member{n}": {"type": "string", "description": f"What member {n} is for " * 4} for n in range(30)},
                "next": {"$ref": f"#/components/schemas/Thing{(number + 1) % 500}"},
            },
        }
        for number in range(500)
    }
    paths: dict[str, object] = {}
    found = {
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "servers": [{"url": "https://large.example"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }
    length, number = len(json.dumps(found)), 0
    while length < size:
        answer = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{number % 500}"}}}}
        inputs = [
            {"name": f"filter{n}", "in": "query", "description": f"Only with {n} " * 6, "schema": {"type": "string"}}
            for n in range(12)
        ]
        item = {
            method: {
                "operationId": f"{method}Thing{number}",
                "tags": [f"tag{number % 40}"],
                "summary": f"{method} a thing",
                "description": "A longer description of what is done here. " * 12,
                "parameters": inputs,
                **({"requestBody": {**answer, "required": True}} if method == "post" else {}),
                "responses": {"200": {"description": "It", **answer}},
            }
            for method in ("get", "post", "delete")
        }
        paths[f"/things/{number}/{{id}}"] = item
        length += len(json.dumps(item))
        number += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=float, default=10)
    asked = parser.parse_args()
    made = document(int(asked.mebibytes * 1024 * 1024))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large.json").write_text(json.dumps(made), encoding="utf-8")
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        (folder / "large.yaml").write_text(yaml.dump(made, Dumper=dumper, sort_keys=False), encoding="utf-8")
        before = 0.0
        for kind in ("json", "yaml"):
            file = folder / f"large.{kind}"
            words = [sys.executable, "-m", "naftiko", "import", "openapi", str(file), "--group", "tag"]
            subprocess.run([*words, "--output", str(folder / kind)], check=True, capture_output=True)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = used.ru_utime + used.ru_stime - before
            before += seconds
            size, peak = file.stat().st_size / 1024**2, used.ru_maxrss / 1024
            print(f"{kind}: {size:.1f} MiB, {seconds:.1f} s of CPU, {peak:.0f} MiB")
        print(f"{len(list((folder / 'json').iterdir()))} capabilities")


if __name__ == "__main__":
    main()
