"""Which operations of a document are meant: by tag, path and operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from naftiko.authoring.openapi.model import Operation
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import SetupError

KINDS = ("tag", "path", "operation")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`tag=pets`, `path=/pets/*`, `operation=list*`: a kind, and a text with `*`, `?` and `[...]`."""

    kind: str
    text: str

    @classmethod
    def read(cls, written: str) -> Pattern:
        """Raises SetupError where it is none."""
        kind, separator, text = written.partition("=")
        if not separator or kind not in KINDS:
            if written.startswith("/"):
                return cls("path", written)
            raise SetupError(
                f"`{written[:80]}` is no choice: write tag=NAME, path=/PATH or operation=ID, with `*` for any"
            )
        return cls(kind, text)

    def fits(self, operation: Operation) -> bool:
        if self.kind == "tag":
            return any(fnmatchcase(tag.lower(), self.text.lower()) for tag in operation.tags)
        if self.kind == "path":
            return fnmatchcase(operation.path, self.text)
        return fnmatchcase(operation.id, self.text)


def selected(operations: Sequence[Operation], include: Sequence[str], exclude: Sequence[str]) -> list[Operation]:
    """The operations that one of `include` fits, or all without any, and none of `exclude`.

    Raises:
        SetupError: one of them is no pattern, or fits nothing.
    """
    wanted, unwanted = [Pattern.read(text) for text in include], [Pattern.read(text) for text in exclude]
    for pattern in (*wanted, *unwanted):
        if not any(pattern.fits(operation) for operation in operations):
            raise SetupError(f"no operation has the {pattern.kind} `{pattern.text[:80]}`; {_near(pattern, operations)}")
    return [
        operation
        for operation in operations
        if (not wanted or any(pattern.fits(operation) for pattern in wanted))
        and not any(pattern.fits(operation) for pattern in unwanted)
    ]


def _near(pattern: Pattern, operations: Sequence[Operation]) -> str:
    if pattern.kind == "tag":
        known = {tag for operation in operations for tag in operation.tags}
    else:
        known = {operation.path if pattern.kind == "path" else operation.id for operation in operations}
    return did_you_mean(pattern.text, sorted(known - {""}))
