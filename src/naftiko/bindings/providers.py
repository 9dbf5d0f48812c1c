"""Sources of variables by URI scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from naftiko.bindings.aws import read_secrets_manager
from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.keychain import read_keychain
from naftiko.bindings.lookup import Lookup
from naftiko.bindings.mounted import read_mounted
from naftiko.bindings.vault import read_vault
from naftiko.diagnostics import has_errors
from naftiko.document.locations import local_file
from naftiko.document.nodes import Mapping as MappingNode
from naftiko.document.nodes import Scalar, child
from naftiko.document.reader import parse
from naftiko.document.source import read_source
from naftiko.errors import BindingError, SourceError
from naftiko.registry import Registry

Provider: TypeAlias = Callable[[str, Path, Lookup], Mapping[str, str]]
"""Gives the keys and values of a `location`. The folder is what a relative location starts from; the last argument
gives variables of the environment, which tell who asks.

A provider may wait for other machines: it is called beside the event loop. It raises `BindingError` where it cannot
give anything; the message never holds a value.
"""


def read_file(location: str, directory: Path, lookup: Lookup) -> Mapping[str, str]:
    """A JSON, YAML or env file: its scalars by key, and by dotted key where they nest.

    Raises:
        BindingError: it cannot be read, or is no mapping.
    """
    file = local_file(location, directory)
    if file is None:
        raise BindingError(f"{location} is not a file")
    if file.suffix == ".env" or file.name == ".env":
        return read_env_file(file)
    try:
        document = parse(read_source(file))
    except SourceError as error:
        raise BindingError(str(error)) from error
    if not isinstance(document.root, MappingNode) or has_errors(document.diagnostics):
        raise BindingError(f"{file} is not a JSON or YAML mapping of names to values")
    found: dict[str, str] = {}
    _collect(document.root, "", found)
    return found


def _collect(node: MappingNode, prefix: str, found: dict[str, str]) -> None:
    for name in node.entries:
        inner = child(node, name)
        if isinstance(inner, MappingNode):
            _collect(inner, f"{prefix}{name}.", found)
        elif isinstance(inner, Scalar) and inner.value is not None:
            found[prefix + name] = inner.text


def providers() -> Registry[Provider]:
    """A registry with the built-in sources."""
    registry: Registry[Provider] = Registry("source of variables")
    registry.add("file", read_file)
    registry.add("k8s", read_mounted)
    registry.add("vault", read_vault)
    registry.add("aws-sm", read_secrets_manager)
    registry.add("keyring", read_keychain)
    return registry
