"""What a capability consumes: a namespace for all operations of one server that let callers in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from naftiko.authoring import naming
from naftiko.authoring.dialects import Dialect
from naftiko.authoring.openapi import names, outputs, wording
from naftiko.authoring.openapi.access import Access, Accesses
from naftiko.authoring.openapi.inputs import Inputs
from naftiko.authoring.openapi.model import Api, Operation, Server

UNKNOWN = "https://set-the-base-uri.invalid"
"""Where requests would go of an API that does not say where it is."""


@dataclass(slots=True)
class Namespace:
    """A consumed namespace that grows by operations. `prefix` is the part of the server's path with variables in it."""

    name: str
    base_uri: str
    access: Access
    prefix: str = ""
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_path: dict[str, str] = field(default_factory=dict)
    names: naming.Names = field(default_factory=naming.Names)


class Consuming:
    """Makes the consumed namespaces. `base_uri` takes the place of the document's servers."""

    def __init__(self, api: Api, dialect: Dialect, namespace: str, base_uri: str | None) -> None:
        self._api = api
        self._dialect = dialect
        self._wanted = namespace
        self._base_uri = base_uri
        self._accesses = Accesses(api.schemes, namespace, api.root)
        self._namespaces: dict[tuple[str, int], Namespace] = {}
        self._in_paths: dict[str, str] = {}

    @property
    def variables(self) -> dict[str, str]:
        """Variables that an operator sets, and what each is."""
        found: dict[str, str] = {}
        for namespace in self._namespaces.values():
            found |= namespace.access.variables
        return found | self._in_paths

    def namespace(self, operation: Operation) -> Namespace:
        """The namespace that an operation belongs to."""
        access = self._accesses.of(operation.security)
        base_uri, prefix = (self._base_uri, "") if self._base_uri is not None else self._server(operation.server)
        key = (base_uri + prefix, id(access))  # names are cut, and could be the same
        if key not in self._namespaces:
            taken = naming.Names(item.name for item in self._namespaces.values())
            name = taken.give(self._wanted, f"{self._wanted}-{access.name}")
            self._namespaces[key] = Namespace(name, base_uri, access, prefix)
        return self._namespaces[key]

    def _server(self, server: Server) -> tuple[str, str]:
        """The base URI, and what of the server's path goes before the paths of resources.

        Callers fill the placeholders in a base URI's path, and operators are to fill these.
        """
        url = server.url.rstrip("/")
        servers = self._api.root.get("servers")
        place = servers if servers else self._api.root
        if not _is_url(url, server.unset):
            said = f"says no more than `{server.url[:100]}` of" if server.url else "does not say"
            place.left(f"the document {said} where the API is", "set `baseUri:`, or import with --base-uri")
            path = url if url.startswith("/") and not set(url) & set("{$?#") and url.isprintable() else ""
            return UNKNOWN + path, ""
        url = url.partition("?")[0].partition("#")[0].rstrip("/")
        scheme, _, rest = url.partition("://")
        host, *segments = rest.split("/")
        for name in server.unset:  # by a name of our own: the environment has a HOST, a USER, a PATH of others
            variable, hole = self._accesses.variable("", name, name), "{" + name + "}"
            own = variable.lower().replace("_", "-")
            told = f"`{hole}` of the server is the variable {variable}: set it, or use --var {variable}="
            place.changed(told, is_warning=hole in host)
            host = host.replace(hole, "{" + own + "}")
            if any(hole in segment for segment in segments):
                segments = [segment.replace(hole, "{{env." + variable + "}}") for segment in segments]
                self._in_paths[variable] = f"`{name}` of the server's path"
        first = next((index for index, segment in enumerate(segments) if "{{" in segment), len(segments))
        prefix = "".join(f"/{segment}" for segment in segments[first:])
        return "/".join((f"{scheme}://{host}", *segments[:first])), prefix

    def add(self, namespace: Namespace, operation: Operation, found: Inputs) -> str:
        """Add an operation; gives its name."""
        name = namespace.names.give(*names.wanted(operation))
        resource = namespace.by_path.get(found.path)
        if resource is None:
            resource = naming.Names(namespace.resources).give(names.of_path(operation.path))
            namespace.by_path[found.path] = resource
            about = wording.resource(self._api, operation)
            path = namespace.prefix + found.path
            namespace.resources[resource] = {"path": path, "description": about, "operations": {}}
        namespace.resources[resource]["operations"][name] = self._operation(operation, found)
        return name

    def _operation(self, operation: Operation, found: Inputs) -> dict[str, Any]:
        form, accept = outputs.read_as(outputs.success(operation))
        if self._dialect.has_lists and form.get("outputRawFormat") == "binary":
            message = "bytes are a word of newer versions of the specification: `validate --strict` refuses it"
            operation.view.changed(message, is_warning=True)
        inputs: dict[str, dict[str, Any]] = {wire: dict(item) for wire, item in found.consumed.items()}
        if accept is not None and "Accept" not in inputs:
            inputs["Accept"] = {"in": "header", "value": accept}
        entry: dict[str, Any] = {"method": operation.method}
        if operation.summary and not self._dialect.has_lists:
            entry["display"] = wording.display(operation)
        entry["description"] = wording.whole(operation)
        if operation.tags and not self._dialect.has_lists:
            entry["tags"] = list(operation.tags)
        if inputs:
            entry["inputParameters"] = self._dialect.named(inputs)
        if found.block is not None:
            entry["body"] = found.block
        return entry | form

    def written(self, about: str) -> list[dict[str, Any]]:
        """The section `consumes`."""
        return [self._one(namespace, about) for namespace in self._namespaces.values()]

    def _one(self, namespace: Namespace, about: str) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "http",
            "namespace": namespace.name,
            "description": about,
            "baseUri": namespace.base_uri,
        }
        if namespace.access.authentication is not None:
            entry["authentication"] = dict(namespace.access.authentication)
        if namespace.access.inputs:
            entry["inputParameters"] = self._dialect.named(namespace.access.inputs)
        entry["resources"] = resources(namespace.resources, self._dialect)
        return entry


def _is_url(url: str, unset: tuple[str, ...]) -> bool:
    """Whether a server's URL is one of HTTP, whatever its placeholders will be."""
    for name in unset:
        url = url.replace("{" + name + "}", "x")
    if not url.startswith(("http://", "https://")) or set(url) & set("{}$ ") or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def resources(entries: Mapping[str, Mapping[str, Any]], dialect: Dialect) -> Any:
    """Resources with their operations, consumed ones or exposed ones."""
    return dialect.named(
        {name: {**entry, "operations": dialect.named(entry["operations"])} for name, entry in entries.items()}
    )
