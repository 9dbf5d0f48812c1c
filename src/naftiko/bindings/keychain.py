"""Secrets of the machine's own keychain: Keychain, Secret Service, Credential Locker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from naftiko.bindings.lookup import Lookup, library
from naftiko.errors import BindingError


def read_keychain(location: str, directory: Path, lookup: Lookup) -> Mapping[str, str]:
    """The secrets of `keyring://SERVICE`: a key is the name of the user that a secret belongs to there.

    Raises:
        BindingError: no service is named.
    """
    service = unquote(location.partition("://")[2]).strip("/")
    if not service:
        raise BindingError(f"{location} names no service; write `keyring://SERVICE`")
    return _Service(library("keyring", "keyring", location), service, location)


class _Service(Mapping[str, str]):
    """Keychains do not list what they hold, so that each key is asked for."""

    def __init__(self, keychain: Any, service: str, location: str) -> None:
        self._keychain = keychain
        self._service = service
        self._location = location

    def __getitem__(self, key: str) -> str:
        try:
            found = self._keychain.get_password(self._service, key)
        except Exception as error:  # each keychain has errors of its own
            message = f"{self._location} cannot be read: the keychain answered {type(error).__name__}"
            raise BindingError(message) from error
        if not isinstance(found, str):
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
