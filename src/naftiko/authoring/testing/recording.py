"""A case from a real call: what was sent and what came back, without any value of a variable."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from naftiko.authoring import yamltext
from naftiko.authoring.testing.cases import placeholder
from naftiko.authoring.testing.comparing import called
from naftiko.bindings.resolve import Sources
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine import upstream as seam
from naftiko.engine.answer import PASSED_ON, Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.life import Life
from naftiko.engine.lookup import find_with_inputs
from naftiko.plan import Plan
from naftiko.runtime.opening import opened
from naftiko.runtime.settings import Settings
from naftiko.values.jsontext import decode
from naftiko.values.media import is_json, is_textual

_SHORTEST = 4
"""Characters of the shortest value that is looked for: a shorter one is in every text."""

_LONGEST = 256 * 1024
"""Bytes of the largest body that is written down."""


class Recorder:
    """A layer that notes what is sent and answered; `hide` tells it what stands in place of secrets."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}
        self.exchanges: list[dict[str, Any]] = []
        self.left_out = 0

    def hide(self, secrets: Mapping[str, str]) -> None:
        """Write down what stands in place of each value, and never the value."""
        known = {value: name for value, name in secrets.items() if len(value) >= _SHORTEST}
        self._secrets = dict(sorted(known.items(), key=lambda pair: -len(pair[0])))

    def layer(self, exchange: seam.Exchange) -> seam.Exchange:
        async def recorded(outgoing: Outgoing, life: Life) -> Response:
            response = await exchange(outgoing, life)
            if _is_kept(outgoing):
                self.exchanges.append({"request": self._request(outgoing), "response": self._response(response)})
            return response

        return recorded

    def case(self, name: str, call: str, inputs: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
        """The case of a call."""
        told: dict[str, Any] = {"status": answer.status}
        content = answer.content()
        if content:
            told["body"] = self._hidden(_value(content, answer.media_type))
        case: dict[str, Any] = {"name": name, "call": call}
        if inputs:
            case["inputs"] = self._hidden(dict(inputs))
        if self.exchanges:
            case["upstream"] = self.exchanges
        return {**case, "answer": told}

    def _request(self, outgoing: Outgoing) -> dict[str, Any]:
        tool = called(outgoing)
        if tool is not None:
            return {"tool": tool[0], "arguments": self._hidden(dict(tool[1]))}
        path, _, query = outgoing.target.partition("?")
        found: dict[str, Any] = {"method": outgoing.method, "path": self._hidden(path)}
        pairs: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            hidden = self._hidden(value)
            pairs[name] = hidden if name not in pairs else [*_list(pairs[name]), hidden]
        if pairs:
            found["query"] = pairs
        if outgoing.content:
            kind = next((value for name, value in outgoing.headers if name.lower() == "content-type"), None)
            if is_textual(kind) or is_json(kind):
                found["body"] = self._hidden(_value(outgoing.content, kind))
        return found

    def _response(self, response: Response) -> dict[str, Any]:
        kind = response.header("content-type")
        found: dict[str, Any] = {"status": response.status}
        headers = {
            name: self._hidden(value) for name, value in response.headers if name in PASSED_ON | {"content-type"}
        }
        if headers:
            found["headers"] = headers
        if not response.content:
            return found
        if len(response.content) > _LONGEST:
            self.left_out += 1
            return found
        if is_json(kind) or is_textual(kind):
            found["body"] = self._hidden(_value(response.content, kind))
        else:
            found["base64"] = base64.b64encode(response.content).decode()
        return found

    def _hidden(self, value: Any) -> Any:
        """A value with what stands for each secret in its place."""
        if isinstance(value, str):
            for secret, name in self._secrets.items():
                value = value.replace(secret, name)
            return value if value.isascii() and "%" not in value else _decoded(value, self._secrets)
        if isinstance(value, dict):
            return {self._hidden(key): self._hidden(item) for key, item in value.items()}
        return [self._hidden(item) for item in value] if isinstance(value, list) else value


async def recorded(
    plan: Plan, sources: Sources, settings: Settings, name: str, given: Mapping[str, Any], title: str
) -> tuple[dict[str, Any], int]:
    """Make a call for real: its case, and how many answers were too large to be written down.

    Raises:
        NaftikoError: it cannot be made, or fails.
    """
    recorder = Recorder()
    async with opened(plan, sources, replace(settings, layers=(recorder.layer,))) as built:
        values = built.resolved.values
        names = {values[item.key]: placeholder(item.name) for item in plan.variables if values.get(item.key)}
        recorder.hide(names)
        function, in_name = find_with_inputs(built.plan, name)
        inputs = {**in_name, **given}
        answer = await built.engine.call(function, Arguments(function).bind(inputs))
        return recorder.case(title, name, inputs, answer), recorder.left_out


def _decoded(value: str, secrets: Mapping[str, str]) -> str:
    """A text in which a secret may be percent-encoded."""
    plain = unquote(value)
    for secret, name in secrets.items():
        if secret in plain:
            return plain.replace(secret, name)
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_kept(outgoing: Outgoing) -> bool:
    """Whether a request is one of a case: what a server of MCP is asked beside calls is not."""
    names = {name.lower() for name, _ in outgoing.headers}
    return "mcp-protocol-version" not in names or called(outgoing) is not None


def _value(content: bytes, kind: str | None) -> Any:
    text = content.decode("utf-8", "replace")
    if not is_json(kind):
        return text
    try:
        return decode(content)
    except ValueError:
        return text


def appended(text: str, case: Mapping[str, Any]) -> str:
    """A file of cases with one more at its end: what is there stays as it is."""
    item = yamltext.dumped([dict(case)])
    if not text.strip():
        return f"cases:\n{item}"
    return f"{text.rstrip()}\n{item}"
