"""What `naftiko import openapi` makes of many documents: `python scripts/importing.py FOLDER...`.

Imports every OpenAPI document below some folders, and prints how many were imported, how many of their operations are
in the capability, and how many of the capabilities `validate` and `validate --strict` accept. Exits with 1 where one
ended in anything but a capability or a stated reason, or where an operation is neither in the capability nor told.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from naftiko.authoring.dialects import DIALECTS
from naftiko.authoring.openapi.converting import Converted, convert
from naftiko.authoring.openapi.reading import METHODS
from naftiko.authoring.openapi.texts import Text, read
from naftiko.authoring.openapi.writing import Options
from naftiko.diagnostics import has_errors
from naftiko.document.source import Source
from naftiko.errors import SetupError, SourceError
from naftiko.validation.checking import checked

SUFFIXES = {".json", ".yaml", ".yml"}


def documents(folders: list[str]) -> list[Text]:
    """Every file below some folders that says it is OpenAPI."""
    found = []
    for folder in folders:
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix not in SUFFIXES or not file.is_file():
                continue
            data = file.read_bytes()
            if b"openapi" not in data[:4000] and b"swagger" not in data[:4000]:
                continue
            try:
                text = read(str(file), data, str(file))
            except SourceError as error:
                print(f"unread: {error}")
                continue
            if isinstance(text.value, dict) and ("openapi" in text.value or "swagger" in text.value):
                found.append(text)
    return found


def fetch(place: str) -> Text:
    """A file that a document refers to."""
    try:
        return read(place, Path(place).read_bytes(), place)
    except OSError as error:
        raise SourceError(f"{place} cannot be read") from error


def lost(text: Text, converted: Converted) -> list[str]:
    """Operations that are neither in the capability nor in a finding."""
    value = text.value if isinstance(text.value, dict) else {}
    paths = value.get("paths")
    told = {found.path[:3] for found in converted.findings}
    count = 0
    missing = []
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method in METHODS if isinstance(item, dict) else ():
            if isinstance(item.get(method), dict) and not path.startswith("x-"):
                if ("paths", path, method) in told and method not in ("get", "put", "post", "delete", "patch"):
                    continue
                count += 1
                missing.append(f"{method} {path}")
    written = sum(item.operations for item in converted.capabilities)
    return missing if count > written else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    is_bad = False
    for text in documents(asked.folders):
        counts["documents"] += 1
        began = time.process_time()
        try:
            converted = convert(text, fetch, Options(DIALECTS["ikanos"]))
        except (SourceError, SetupError) as error:
            counts["refused, with a reason"] += 1
            print(f"refused: {error}")
            continue
        except Exception as error:  # whatever it is, it is a fault of ours
            is_bad = True
            print(f"FAULT: {text.name}: {type(error).__name__}: {error}")
            continue
        counts["imported"] += 1
        counts["operations"] += sum(item.operations for item in converted.capabilities)
        counts["findings"] += len(converted.findings)
        missing = lost(text, converted)
        if missing:
            is_bad = True
            print(f"LOST: {text.name}: {missing[:5]}")
        for item in converted.capabilities:
            for is_strict in (False, True):
                _, found = checked(Source(item.name, item.text.encode()), is_strict=is_strict)
                counts[f"accepted by validate{' --strict' if is_strict else ''}"] += not has_errors(found)
                if has_errors(found) and (asked.verbose or not is_strict):
                    worst = next(one for one in found if one.severity == 0)
                    print(f"{'strict' if is_strict else 'plain'}: {text.name}: {worst.code}: {worst.message[:150]}")
        if asked.verbose:
            print(f"{text.name}: {time.process_time() - began:.2f} s")
    for name, count in counts.items():
        print(f"{name:30} {count:6}")
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
