"""Files of cases: read, with the place of everything, and found."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from naftiko.diagnostics import Diagnostic, Severity, Span
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.nodes import Mapping, Node, Scalar, plain
from naftiko.document.nodes import Sequence as SequenceNode
from naftiko.document.reader import parse
from naftiko.document.source import read_source
from naftiko.errors import SourceError
from naftiko.plan import Plan

SUFFIXES = (".test.yaml", ".test.yml")

_FILE = frozenset({"capability", "variables", "cases"})
_CASE = frozenset({"name", "call", "inputs", "upstream", "answer"})
_EXCHANGE = frozenset({"request", "response"})
_REQUEST = frozenset({"method", "path", "query", "headers", "body", "tool", "arguments"})
_RESPONSE = frozenset({"status", "headers", "body", "base64"})
_ANSWER = frozenset({"status", "body", "includes", "error"})
ABSENT: Any = object()
"""In place of what a case does not say."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that is expected, of which only what is said counts, and the answer that it gets."""

    request: dict[str, Any]
    status: int
    headers: tuple[tuple[str, str], ...]
    body: Any
    base64: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `status`, `body`, `includes` and `error` are what the caller gets; `ABSENT` where nothing is said."""

    name: str
    call: str
    inputs: dict[str, Any]
    upstream: tuple[Exchange, ...]
    status: Any
    body: Any
    includes: Any
    error: str | None
    line: int


@dataclass(slots=True)
class Cases:
    """A file of cases. `findings` are what is wrong with it, in which case there are no cases."""

    file: str
    text: str
    capability: str
    variables: dict[str, str] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)


_BEGINS = "a file of cases begins with `cases:`"


def placeholder(name: str) -> str:
    """The value of a variable that a file of cases gives none."""
    return f"test-{name}"


def placeholders(plan: Plan) -> dict[str, str]:
    """The values of all variables of a capability, by their keys, where a file of cases gives none."""
    return {variable.key: placeholder(variable.name) for variable in plan.variables}


def is_cases(file: Path) -> bool:
    return file.name.endswith(SUFFIXES)


def beside(capability: Path) -> Path:
    """The file of cases of a capability."""
    return capability.with_name(f"{capability.stem}.test.yaml")


def found(paths: Sequence[str]) -> list[Path]:
    """Files of cases: those named, those of capabilities that are named, those below folders.

    Raises:
        SourceError: a path does not exist, or has no cases.
    """
    files: dict[Path, None] = {}
    for text in paths:
        path = Path(text)
        if path.is_dir():
            below = sorted(
                file
                for suffix in SUFFIXES
                for file in path.rglob(f"*{suffix}")
                if not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
            if not below:
                raise SourceError(f"there are no cases (`NAME.test.yaml`) below {path}")
            files.update(dict.fromkeys(below))
        elif is_cases(path) or not path.exists():
            files[path] = None
        elif beside(path).exists():
            files[beside(path)] = None
        else:
            raise SourceError(f"{path} has no cases: there is no {beside(path).name} beside it; --record makes one")
    return list(files)


def read(file: Path) -> Cases:
    """A file of cases.

    Raises:
        SourceError: it cannot be read.
    """
    document = parse(read_source(file))
    name = file.name.removesuffix(".yaml").removesuffix(".yml").removesuffix(".test")
    result = Cases(str(file), document.text, str(file.with_name(f"{name}.yaml")))
    for item in document.diagnostics:
        if item.severity is Severity.ERROR:  # an empty file is told what a capability begins with
            result.findings.append(replace(item, help=_BEGINS) if item.code == "empty-file" else item)
    if document.root is None or result.findings:
        if document.root is None and not result.findings:
            result.findings.append(_error(str(file), Span(1, 1, 1, 1), "the file is empty", _BEGINS))
        return result
    reader = _Reader(result)
    reader.file(document.root)
    if result.findings:
        result.cases = []
    return result


def _error(file: str, span: Span, message: str, help: str = "") -> Diagnostic:
    return Diagnostic("test-file", Severity.ERROR, message, file, span, (), help)


class _Reader:
    def __init__(self, result: Cases) -> None:
        self._result = result

    def file(self, root: Node) -> None:
        top = self._mapping(root, "the file", _FILE)
        own = top.text("capability") if top is not None else None
        if own is not None:
            self._result.capability = str(Path(self._result.file).parent / own)
        if top is None:
            return
        variables = top.get("variables")
        if variables is not None:
            values = self._mapping(variables, "`variables`", None)
            if values is not None:
                self._result.variables = {key: values.text(key) or "" for key in values.entries}
        cases = top.get("cases")
        if not isinstance(cases, SequenceNode):
            self._tell(cases or root, "`cases:` is missing, a list of cases")
            return
        for item in cases.items:
            case = self._case(item)
            if case is not None:
                self._result.cases.append(case)

    def _case(self, node: Node) -> Case | None:
        top = self._mapping(node, "a case", _CASE)
        if top is None:
            return None
        call = top.text("call")
        if call is None:
            self._tell(node, "a case needs `call:`, the name of a tool or route")
            return None
        inputs = top.get("inputs")
        answer = self._part(top, "answer", _ANSWER)
        error = answer.text("error") if answer is not None else None
        if answer is not None and answer.get("error") is not None:
            if not error:
                self._tell(answer.get("error") or answer, "`error` is a part of the message of a call that fails")
            elif answer.get("body") is not None or answer.get("includes") is not None:
                self._tell(answer, "a call that fails has an `error`, and neither `body` nor `includes`")
        return Case(
            top.text("name") or call,
            call,
            self._values(inputs) if inputs is not None else {},
            tuple(self._exchanges(top.get("upstream"))),
            self._status(answer, ABSENT),
            self._value(answer, "body"),
            self._value(answer, "includes"),
            error,
            node.span.line,
        )

    def _exchanges(self, node: Node | None) -> Iterator[Exchange]:
        if node is None:
            return
        if not isinstance(node, SequenceNode):
            self._tell(node, "`upstream:` is a list of requests with their responses")
            return
        for item in node.items:
            top = self._mapping(item, "an exchange", _EXCHANGE)
            if top is None:
                continue
            request, response = self._part(top, "request", _REQUEST), self._part(top, "response", _RESPONSE)
            headers = self._part(response, "headers", None)
            self._check(request, response)
            yield Exchange(
                self._values(request) if request is not None else {},
                self._status(response, 200),
                tuple(self._headers(headers)) if headers is not None else (),
                self._value(response, "body"),
                response.text("base64") if response is not None else None,
                item.span.line,
            )

    def _headers(self, node: Mapping) -> Iterator[tuple[str, str]]:
        for key, entry in node.entries.items():
            if isinstance(entry.node, Scalar):
                yield key.lower(), entry.node.text
            else:
                self._tell(entry.node, f"the header `{key[:60]}` is a text")

    def _check(self, request: Mapping | None, response: Mapping | None) -> None:
        """What is read by nobody would let a case pass that says something else."""
        for key in ("query", "headers", "arguments"):
            self._part(request, key, None)
        if request is not None and request.get("arguments") is not None and request.get("tool") is None:
            self._tell(request, "`arguments` are those of a `tool`, which is not named")
        encoded = response.text("base64") if response is not None else None
        if response is not None and encoded is not None:
            try:
                base64.b64decode("".join(encoded.split()), validate=True)
            except (binascii.Error, ValueError):
                self._tell(response.get("base64") or response, "`base64` is no base64")

    def _status(self, node: Mapping | None, otherwise: Any) -> Any:
        status = node.get("status") if node is not None else None
        if status is None:
            return otherwise
        if isinstance(status, Scalar) and isinstance(status.value, int) and 100 <= status.value <= 599:
            return status.value
        self._tell(status, "`status` is a number from 100 to 599")
        return otherwise

    def _value(self, node: Mapping | None, key: str) -> Any:
        value = node.get(key) if node is not None else None
        return plain(value) if value is not None else ABSENT

    def _values(self, node: Node) -> dict[str, Any]:
        value = plain(node)
        if isinstance(value, dict):
            return value
        self._tell(node, "names with their values belong here")
        return {}

    def _part(self, node: Mapping | None, key: str, known: frozenset[str] | None) -> Mapping | None:
        part = node.get(key) if node is not None else None
        return self._mapping(part, f"`{key}`", known) if part is not None else None

    def _mapping(self, node: Node, what: str, known: frozenset[str] | None) -> Mapping | None:
        if not isinstance(node, Mapping):
            self._tell(node, f"{what} has names with values")
            return None
        for key, entry in node.entries.items():
            if known is not None and key not in known:
                message = f"{what} has no `{key[:60]}`"
                self._result.findings.append(
                    _error(self._result.file, entry.key_span, message, did_you_mean(key, sorted(known)))
                )
        return node

    def _tell(self, node: Node, message: str) -> None:
        span = node.span
        self._result.findings.append(
            _error(self._result.file, Span(span.line, span.column, span.line, span.column + 1), message)
        )
