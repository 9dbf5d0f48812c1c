"""Whether what came is what was expected, and where it first is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from naftiko.consumers.http.request import Outgoing
from naftiko.values.jsontext import decode, encode

_LONGEST = 200


def shown(value: object) -> str:
    """A value on one line."""
    try:
        text = encode(value).decode()
    except (ValueError, TypeError, RecursionError):
        text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def normal(value: object) -> object:
    """A value of a file as one of JSON, so that numbers compare as numbers."""
    return decode(encode(value))


def differences(expected: object, found: object, where: str, *, is_part: bool = False) -> Iterator[str]:
    """Where a value is not as expected; with `is_part` objects may have members more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            if name not in found:
                yield f"{where}.{name}: {shown(value)} is expected, and is not there"
            else:
                yield from differences(value, found[name], f"{where}.{name}", is_part=is_part)
        if not is_part:
            for name in found:
                if name not in expected:
                    yield f"{where}.{name}: {shown(found[name])} is there, and not expected"
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{where}: {len(expected)} items are expected, and there are {len(found)}"
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from differences(one, other, f"{where}[{index}]", is_part=is_part)
    elif is_part and isinstance(expected, str) and isinstance(found, str):
        if expected not in found:
            yield f"{where}: {shown(expected)} is expected in it, and {shown(found)} is there"
    elif _is_number(expected) and _is_number(found):
        if Decimal(str(expected)) != Decimal(str(found)):
            yield f"{where}: {shown(expected)} is expected, and {shown(found)} is there"
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"{where}: {shown(expected)} is expected, and {shown(found)} is there"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def called(outgoing: Outgoing) -> tuple[str, Mapping[str, Any]] | None:
    """The tool of an MCP server that a request calls, with its arguments."""
    if outgoing.method != "POST" or not outgoing.content or b'"tools/call"' not in outgoing.content:
        return None
    try:
        message = decode(outgoing.content)
    except ValueError:
        return None
    params = message.get("params") if isinstance(message, dict) and message.get("method") == "tools/call" else None
    if not isinstance(params, dict):
        return None
    arguments = params.get("arguments")
    return str(params.get("name")), arguments if isinstance(arguments, dict) else {}


def request_differences(expected: Mapping[str, Any], outgoing: Outgoing) -> Iterator[str]:
    """Where a request is not as a case says; of what it does not say nothing is compared."""
    if "tool" in expected:
        call = called(outgoing)
        if call is None or call[0] != expected["tool"]:
            yield f"request: the tool {shown(expected['tool'])} is expected, and {_line(outgoing)} was sent"
        elif "arguments" in expected:
            yield from differences(normal(expected["arguments"]), dict(call[1]), "request.arguments")
        return
    path, _, query = outgoing.target.partition("?")
    if "method" in expected and expected["method"] != outgoing.method:
        yield f"request.method: {expected['method']} is expected, and {outgoing.method} was sent"
    if "path" in expected and expected["path"] != path:
        yield f"request.path: {expected['path']} is expected, and {path} was sent"
    if "query" in expected:
        yield from differences(_texts(expected["query"]), _query(query), "request.query")
    if "headers" in expected:
        sent = {name.lower(): value for name, value in outgoing.headers}
        wanted = {name.lower(): value for name, value in _texts(expected["headers"]).items()}
        yield from differences(wanted, {name: sent[name] for name in wanted if name in sent}, "request.headers")
    if "body" in expected:
        yield from _body(expected["body"], outgoing.content or b"")


def _line(outgoing: Outgoing) -> str:
    return f"{outgoing.method} {outgoing.target[:100]}"


def _texts(value: object) -> dict[str, Any]:
    """Values of a query or of headers as the texts that they are on the wire."""
    if not isinstance(value, Mapping):
        return {}
    return {
        name: [_text(item) for item in given] if isinstance(given, list) else _text(given)
        for name, given in value.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _query(text: str) -> dict[str, Any]:
    """A query by name; what stands in it several times is a list."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _body(expected: object, content: bytes) -> Iterator[str]:
    if isinstance(expected, str):
        yield from differences(expected, content.decode("utf-8", "replace"), "request.body")
        return
    try:
        found = decode(content) if content else None
    except ValueError:
        yield f"request.body: JSON is expected, and {shown(content.decode('utf-8', 'replace'))} was sent"
        return
    yield from differences(normal(expected), found, "request.body")
