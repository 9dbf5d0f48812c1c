"""What the values of a command look like: their types, and whether they are somebody's secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from naftiko.authoring.naming import words
from naftiko.values.secretlike import has_known_prefix, looks_secret

_SEPARATORS = re.compile(r"[-_.~:]")
_DIGITS = re.compile(r"[0-9]+")
_SECRETS = frozenset(
    {
        *("auth", "authorization", "authtoken", "apitoken", "accesstoken", "bearer", "token", "jwt", "key", "apikey"),
        *(
            "accesskey",
            "appkey",
            "secretkey",
            "privatekey",
            "secret",
            "clientsecret",
            "password",
            "passwd",
            "passphrase",
        ),
        *(
            "pwd",
            "pass",
            "credential",
            "credentials",
            "signature",
            "sig",
            "hmac",
            "session",
            "sessionid",
            "sessid",
            "sid",
        ),
        *("csrf", "xsrf", "csrftoken", "otp", "totp", "cvv", "cvc", "pin", "ssn", "nonce"),
    }
)
"""Words that a credential's name ends with."""

_ALONE = frozenset({"code", "pw", "sk"})
"""Names of credentials where nothing else is in them."""

_OF_PAGES = frozenset({"page", "next", "continuation", "cursor", "start", "sort", "order", "group", "partition"})
"""What a `token` or `key` is of that is no credential."""


def is_private(name: str) -> bool:
    """Whether a name is that of somebody's secret."""
    found = words(name)
    if not found or (len(found) > 1 and found[-2] in _OF_PAGES):
        return False
    return found[-1] in _SECRETS or "".join(found[-2:]) in _SECRETS or (len(found) == 1 and found[0] in _ALONE)


def is_key(name: str, value: str) -> bool:
    """Whether a value is what lets a caller in, by its name or its look."""
    return (is_private(name) and name.lower() not in _ALONE) or looks_secret(value)


def is_random(text: str) -> bool:
    """Whether a part of a path is generated, not written: `aB3dE5...`, and neither a slug nor a name of camels."""
    return has_known_prefix(text) or any(map(_is_random, _SEPARATORS.split(text)))


def _is_random(piece: str) -> bool:
    runs = len(_DIGITS.findall(piece))
    is_mixed = piece != piece.lower() and piece != piece.upper()
    if runs == 0:
        return len(piece) >= 16 and is_mixed and len(words(piece)) * 3 > len(piece)
    if is_mixed and len(piece) >= 8 and runs >= 2:
        return True
    digits = sum(map(str.isdecimal, piece))
    return len(piece) >= 12 and len(piece) > digits and (runs >= 3 or (is_mixed and digits >= 2))


def guessed(value: str) -> object:
    """A value of a query or form as what it looks like."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() and len(value) < 15 and (value == "0" or value[0] != "0") else value


def schema_of(value: object, depth: int = 0) -> dict[str, Any]:
    """The schema that a value is an example of."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "integer" if isinstance(value, int) else "number"}
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[0], depth + 1) if value and depth < 6 else {}}
    if isinstance(value, dict):
        if depth >= 6:
            return {"type": "object"}
        return {"type": "object", "properties": dict(_members(value, depth)), "required": list(value)}
    return {"type": "string"} if isinstance(value, str) else {}


def _members(value: dict[str, Any], depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, item in value.items():
        schema = schema_of(item, depth + 1)
        if isinstance(item, str | int | float) and not isinstance(item, bool):
            schema["description"] = example_of(name, str(item))
        yield name, schema


def example_of(name: str, value: str) -> str:
    """A value as an example, unless it is somebody's secret."""
    is_hidden = any(word in _SECRETS for word in words(name)) or is_private(name) or looks_secret(value)
    is_shown = value.isprintable() and 0 < len(value) <= 60 and not is_hidden
    return f"For example {value}" if is_shown else ""
