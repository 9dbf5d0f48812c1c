"""The official lint rules of documents under `ikanos:` only: imports, tunnels, consumed MCP servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from naftiko.document.nodes import Scalar, child
from naftiko.spec.conformance.subject import Located, Subject, below, is_truthy, scalar
from naftiko.values.templates import template_names

_SECTIONS = ("consumes", "exposes", "aggregates", "binds")
_LOCAL = r"(127\.0\.0\.1|localhost|\[::1\])(:|/|$)"


def _entries(subject: Subject, section: str) -> list[Located]:
    return list(subject.each("capability", section, None))


def _imports(subject: Subject) -> None:
    """Each import says what it takes and from where, under a name of its own in its section."""
    for section in _SECTIONS:
        entries = _entries(subject, section)
        imports = [item for item in entries if is_truthy(child(item[1], "from"))]
        subject.require(imports, "import", "import-from-required", "the import does not say what it takes")
        names = [item for item in entries if is_truthy(child(item[1], "import")) and not scalar(item[1], "type")]
        subject.require(names, "from", "import-import-required", "the import does not say where it is from")
        message = "the import is from the folder itself"
        subject.forbid(below(imports, "from"), r"^\.$", "import-from-not-self", message)
        seen: set[object] = set()
        for path, entry in imports:
            key = "as" if scalar(entry, "as") else "import"
            name = scalar(entry, key)
            if name and name in seen:
                subject.add("import-unique-alias", f"`{name}` is imported already", (*path, key))
            seen.add(name)


def _standalone(subject: Subject) -> None:
    """A file without a capability is what others import; it imports nothing."""
    if "capability" in subject.root.entries:
        return
    for section in _SECTIONS:
        for path, entry in subject.each(section, None):
            if is_truthy(child(entry, "from")):
                message = "a file that others import imports nothing itself"
                subject.add("standalone-no-imports", message, (*path, "from"), at_key=True)


def _importable(subject: Subject) -> None:
    """What others may import has a namespace."""
    own = [item for item in subject.exposes() if is_truthy(child(item[1], "type"))]
    for found in (subject.each("exposes", None), own):
        subject.require(found, "namespace", "exposes-namespace-required", "the adapter has no namespace")
    older = [item for item in _entries(subject, "aggregates") if is_truthy(child(item[1], "functions"))]
    for found in (subject.each("aggregates", None), older):
        subject.require(found, "namespace", "aggregates-namespace-required", "the aggregate has no namespace")
    for where in (("aggregates", None), ("capability", "aggregates", None)):
        for path, functions in subject.each(*where, "functions"):
            names = [(item, scalar(node, "name")) for item, node in below([(path, functions)], None)]
            count = Counter(name for _, name in names)
            for item, name in names:
                if name and count[name] > 1:
                    message = f"the function `{name}` is declared more than once"
                    subject.add("aggregates-unique-function-name", message, (*item, "name"))


def _tunnels(subject: Subject) -> None:
    tunnelled = [item for item in subject.consumes() if is_truthy(child(item[1], "tunnel"))]
    direct = [item for item in tunnelled if scalar(child(item[1], "tunnel"), "fallback") == "direct"]
    message = "where the tunnel is shut, this address is called without it"
    subject.expect(below(direct, "baseUri"), f"^https?://{_LOCAL}", "tunnel-fallback-direct-warns", message)
    message = "the address is public; make sure that it is reached through the tunnel"
    pattern = r"^https?://[^/]+\.(com|net|org|io|co|app|dev|cloud|ai)(:|/|$)"
    subject.forbid(below(tunnelled, "baseUri"), pattern, "tunnel-with-public-baseuri-warns", message)
    bound = set(_bound(subject))
    for path, identity in below(tunnelled, "tunnel", "identity"):
        text = identity.value if isinstance(identity, Scalar) and isinstance(identity.value, str) else ""
        for reference in template_names(text):
            if reference not in bound:
                message = f"`{reference}` is declared in no `binds`"
                subject.add("tunnel-identity-must-bind", message, path)


def _bound(subject: Subject) -> Iterator[str]:
    """What templates call the keys that are bound: with their namespace, and without."""
    for where in (("binds", None), ("capability", "binds", None)):
        for _, bind in subject.each(*where):
            for path, _ in below([((), bind)], "keys", None):
                yield f"{scalar(bind, 'namespace')}.{path[-1]}"
                yield str(path[-1])


def _servers(subject: Subject) -> None:
    servers = [item for item in subject.consumes() if scalar(item[1], "type") == "mcp"]
    message = "arguments and credentials go out in the clear; `http://` is for this machine only"
    pattern = f"^(https://|http://{_LOCAL})"
    subject.expect(below(servers, "endpoint"), pattern, "mcp-consumes-endpoint-https", message)
    subject.require(below(servers, "tools", None), "hints", "mcp-consumed-tool-hints", "the tool has no hints")


NEWER: tuple[Callable[[Subject], None], ...] = (_imports, _standalone, _importable, _tunnels)
"""Rules of every version under this key."""

SINCE_SERVERS: tuple[Callable[[Subject], None], ...] = (_servers,)
"""Rules that came with consumed MCP servers."""
