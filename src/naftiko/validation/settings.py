"""What a project asks of `validate`: in `naftiko.toml`, or under `[tool.naftiko]` of a `pyproject.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from naftiko.diagnostics import Diagnostic
from naftiko.diagnostics.codes import CODES
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import SetupError

_KEYS = ("select", "ignore", "per-file-ignores", "fail-on", "strict")


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Codes to look for and to leave out, in all files or by a pattern of their names; `file` is where it is said."""

    file: Path | None = None
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    per_file: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fail_on: str | None = None
    strict: bool = False

    def ignores(self, found: Diagnostic) -> bool:
        """Whether a finding is left out, by its code and its file."""
        if found.code in self.ignore or (self.select and found.code not in self.select):
            return True
        if not self.per_file or self.file is None:
            return False
        name = _relative(Path(found.file), self.file.parent)
        return any(
            found.code in codes and (fnmatch(name, pattern) or fnmatch(Path(name).name, pattern))
            for pattern, codes in self.per_file.items()
        )


def project_settings(start: Path) -> ProjectSettings:
    """The settings of the project that a folder belongs to: of the nearest file that has any.

    Raises:
        SetupError: the file cannot be read, or asks for what is not there.
    """
    for folder in (start, *start.parents):
        for name in ("naftiko.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file():
                table = _table(file)
                if table is not None:
                    return _read(table, file)
        if (folder / ".git").exists():
            break
    return ProjectSettings()


def _table(file: Path) -> Mapping[str, object] | None:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} cannot be read") from error
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{file} is not valid TOML: {error}") from error
    if file.name == "naftiko.toml":
        return values
    table = values.get("tool", {}).get("naftiko")
    return table if isinstance(table, dict) else None


def _read(table: Mapping[str, object], file: Path) -> ProjectSettings:
    for key in table:
        if key not in _KEYS:
            raise SetupError(f"{file}: `{key}` is no setting; {did_you_mean(key, _KEYS)}")
    per_file = table.get("per-file-ignores", {})
    if not isinstance(per_file, dict):
        raise SetupError(f"{file}: `per-file-ignores` is a table of patterns, each with a list of codes")
    fail_on, strict = table.get("fail-on"), table.get("strict", False)
    if fail_on not in (None, "error", "warning", "info"):
        raise SetupError(f"{file}: `fail-on` is one of error, warning, info")
    if not isinstance(strict, bool):
        raise SetupError(f"{file}: `strict` is true or false")
    return ProjectSettings(
        file,
        _codes(table.get("select", []), "select", file),
        _codes(table.get("ignore", []), "ignore", file),
        {str(pattern): _codes(codes, f"per-file-ignores.{pattern}", file) for pattern, codes in per_file.items()},
        fail_on if isinstance(fail_on, str) else None,
        strict,
    )


def _codes(value: object, key: str, file: Path) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SetupError(f"{file}: `{key}` is a list of codes")
    for code in value:
        if code not in CODES:
            raise SetupError(f"{file}: `{key}` names `{code}`, which is no code; {did_you_mean(code, CODES)}")
    return frozenset(value)


def _relative(file: Path, base: Path) -> str:
    try:
        return file.resolve().relative_to(base.resolve()).as_posix()
    except ValueError:
        return file.as_posix()
