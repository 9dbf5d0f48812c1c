"""A case from a real call: what was sent and what came back, without any value of a variable."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from naftiko.authoring import yamltext
from naftiko.authoring.testing.bases import declared_path
from naftiko.authoring.testing.cases import placeholder, placeholders
from naftiko.authoring.testing.comparing import called
from naftiko.bindings.resolve import Sources
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine import upstream as seam
from naftiko.engine.answer import PASSED_ON, Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.life import Life
from naftiko.engine.lookup import find_with_inputs
from naftiko.engine.redaction import SHORTEST, made_needles
from naftiko.plan import Plan
from naftiko.runtime.base_uris import base_overrides
from naftiko.runtime.observing.masking import Mask
from naftiko.runtime.opening import opened
from naftiko.runtime.settings import Settings
from naftiko.values.jsontext import decode
from naftiko.values.media import is_json, is_textual

_SHORTEST = 3
"""Characters of the shortest value that is looked for: a shorter one is in every text."""

_SHORTEST_NUMBER = 5
"""Digits of the shortest number that is looked for: sizes, ports and statuses are shorter."""

_LONGEST = 256 * 1024
"""Bytes of the largest body that is written down."""


class Recorder:
    """A layer that notes what is sent and answered; `hide` tells it what stands in place of secrets."""

    def __init__(self, prefixes: Mapping[str, tuple[str, str]]) -> None:
        self._prefixes = prefixes
        self._secrets: dict[str, str] = {}
        self._mask = Mask(())
        self.exchanges: list[dict[str, Any]] = []
        self.left_out = 0

    def hide(self, secrets: Mapping[str, str]) -> None:
        """Write down what stands in place of each value, and never the value, however it is written."""
        known = {value: name for value, name in secrets.items() if len(value) >= _SHORTEST}
        self._secrets = dict(sorted(known.items(), key=lambda pair: -len(pair[0])))
        self._mask = Mask(known)

    def layer(self, exchange: seam.Exchange) -> seam.Exchange:
        async def recorded(outgoing: Outgoing, life: Life) -> Response:
            response = await exchange(outgoing, life)
            if _is_kept(outgoing):
                self.hide({**_credentials(outgoing), **self._secrets})
                request = self._request(outgoing, self._prefixes.get(life.upstream or "", ("", "")))
                self.exchanges.append({"request": request, "response": self._response(response)})
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

    def _request(self, outgoing: Outgoing, prefix: tuple[str, str]) -> dict[str, Any]:
        tool = called(outgoing)
        if tool is not None:
            return {"tool": tool[0], "arguments": self._hidden(dict(tool[1]))}
        path, _, query = outgoing.target.partition("?")
        if path.startswith(prefix[0]):
            path = f"{prefix[1]}{path[len(prefix[0]) :]}"
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
        elif any(needle in response.content for needle in made_needles(tuple(self._secrets))):
            self.left_out += 1
        else:
            found["base64"] = base64.b64encode(response.content).decode()
        return found

    def _hidden(self, value: Any) -> Any:
        """A value with what stands for each secret in its place; spellings for which nothing stands are redacted."""
        if isinstance(value, str):
            for secret, name in self._secrets.items():
                for spelled in dict.fromkeys((secret, quote(secret, safe=""), quote(secret), quote_plus(secret))):
                    if spelled not in value:
                        continue
                    if len(secret) >= SHORTEST:
                        value = value.replace(spelled, name)
                    else:  # a short one counts as a word only
                        value = name.join(re.split(f"(?<![A-Za-z0-9]){re.escape(spelled)}(?![A-Za-z0-9])", value))
            return self._mask(value)
        if isinstance(value, dict):
            return {self._hidden(key): self._hidden(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        is_long = is_number and len(str(value)) >= _SHORTEST_NUMBER
        return self._secrets.get(str(value), value) if is_long else value


def _credentials(outgoing: Outgoing) -> dict[str, str]:
    """What a request carries of credentials, as it is written in its headers."""
    headers = [value for name, value in outgoing.headers if name.lower() in ("authorization", "cookie")]
    return {word: "[redacted]" for value in headers for word in value.replace(";", " ").split() if len(word) >= 8}


def _prefixes(plan: Plan, sources: Sources, settings: Settings) -> dict[str, tuple[str, str]]:
    """By where requests go: the path of the URI that is called instead, and the declared one in its place."""
    later = placeholders(plan)
    return {
        base.origin: (base.path or "", declared_path(plan, index, later))
        for index, base in base_overrides(plan, settings.base_uris, sources).items()
    }


async def recorded(
    plan: Plan, sources: Sources, settings: Settings, name: str, given: Mapping[str, Any], title: str
) -> tuple[dict[str, Any], int]:
    """Make a call for real: its case, and how many answers were too large to be written down.

    Raises:
        NaftikoError: it cannot be made, or fails.
    """
    holder: list[Recorder] = []

    def layer(exchange: seam.Exchange) -> seam.Exchange:
        async def noted(outgoing: Outgoing, life: Life) -> Response:
            return await holder[0].layer(exchange)(outgoing, life)

        return noted

    async with opened(plan, sources, replace(settings, layers=(layer,))) as built:
        values = built.resolved.values
        recorder = Recorder(_prefixes(plan, sources, settings))
        holder.append(recorder)
        recorder.hide({values[item.key]: placeholder(item.name) for item in plan.variables if values.get(item.key)})
        function, in_name = find_with_inputs(built.plan, name)
        inputs = {**in_name, **given}
        answer = await built.engine.call(function, Arguments(function).bind(inputs))
        return recorder.case(title, name, inputs, answer), recorder.left_out


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
