"""The published spellings of `authentication`, rewritten to the official ones."""

from __future__ import annotations

from naftiko.diagnostics import Fix, Path
from naftiko.document.nodes import Entry, Mapping, Scalar, child
from naftiko.document.report import Report

_TYPES = {
    "apikey": "apikey",
    "api-key": "apikey",
    "api_key": "apikey",
    "http-basic": "basic",
    "http-bearer": "bearer",
    "token": "bearer",
    "oauth": "oauth1",
    "oauth-1": "oauth1",
    "oauth1.0a": "oauth1",
    "aws-sig-v4": "aws-sig-v4",
    "aws-sigv4": "aws-sig-v4",
    "awssigv4": "aws-sig-v4",
    "aws_sigv4": "aws-sig-v4",
    "sigv4": "aws-sig-v4",
    "mtls": "certificate",
}
_KNOWN = frozenset({"basic", "bearer", "digest", "oauth1", "oauth2", "hmac", "certificate", "header", "query"})


def authentication(adapter: Mapping, path: Path, report: Report) -> None:
    """Rewrite `adapter.authentication` in place."""
    auth = adapter.get("authentication")
    if not isinstance(auth, Mapping):
        return
    path = (*path, "authentication")
    for key in [
        key for key, entry in auth.entries.items() if isinstance(entry.node, Scalar) and entry.node.value is None
    ]:
        del auth.entries[key]
    kind = auth.text("type")
    if kind is None:
        return
    folded = kind.casefold()
    canonical = _TYPES.get(folded, folded if folded in _KNOWN else kind)
    if canonical != kind:
        fix = Fix(canonical) if canonical not in ("header", "query") else None
        report.add("auth-spelling", f"the type `{kind}` is read as `{canonical}`", (*path, "type"), fix=fix)
        _set(auth, "type", canonical)
    if canonical in ("header", "query"):
        _as_apikey(auth, canonical, path, report)
    elif canonical == "apikey":
        _apikey(auth, path, report)
    else:
        _renamed(auth, _KEYS.get(canonical, {}), path, report)


_KEYS = {
    "basic": {"clientId": "username", "clientSecret": "password", "user": "username", "pass": "password"},
    "bearer": {"value": "token", "accessToken": "token", "key": "token"},
    "aws-sig-v4": {"accessKey": "accessKeyId", "secretKey": "secretAccessKey", "secretAccessKeyId": "secretAccessKey"},
    "oauth1": {"clientId": "consumerKey", "clientSecret": "consumerSecret", "secretKey": "consumerSecret"},
    "hmac": {"secretKey": "apiKey", "clientId": "apiId", "clientSecret": "apiKey"},
}


def _renamed(auth: Mapping, names: dict[str, str], path: Path, report: Report) -> None:
    for old, new in names.items():
        if old in auth.entries and new not in auth.entries:
            message = f"`{old}` is read as `{new}`"
            report.add("auth-spelling", message, (*path, old), key=True, help=f"name it `{new}`", fix=Fix(new))
            auth.entries[new] = auth.entries.pop(old)


def _apikey(auth: Mapping, path: Path, report: Report) -> None:
    """OpenAPI's words for an API key: `name` is its `key`, `in` its `placement`."""
    for old, new in (("name", "key"), ("in", "placement"), ("header", "key")):
        if old in auth.entries and new not in auth.entries:
            message = f"`{old}` is read as `{new}`"
            report.add("auth-spelling", message, (*path, old), key=True, help=f"name it `{new}`", fix=Fix(new))
            auth.entries[new] = auth.entries.pop(old)


def _as_apikey(auth: Mapping, placement: str, path: Path, report: Report) -> None:
    """`{type: header, header, value}` and `{type: query, parameters: [{name, value}]}` are API keys."""
    report.add("auth-spelling", f"the type `{placement}` is read as `apikey`", (*path, "type"))
    first = child(auth, "parameters", 0)
    for old in ("header", "name", "parameter"):
        if old in auth.entries and "key" not in auth.entries:
            auth.entries["key"] = auth.entries.pop(old)
    if isinstance(first, Mapping) and len(getattr(auth.get("parameters"), "items", ())) == 1:
        for old, new in (("name", "key"), ("value", "value")):
            if old in first.entries and new not in auth.entries:
                auth.entries[new] = first.entries[old]
        del auth.entries["parameters"]
    _set(auth, "type", "apikey")
    _set(auth, "placement", placement)


def _set(auth: Mapping, key: str, text: str) -> None:
    like = auth.entries.get(key) or auth.entries["type"]
    auth.entries[key] = Entry(like.key_span, Scalar(text, text, like.node.span))
