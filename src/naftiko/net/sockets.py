"""Listening sockets: bound by this process, or asked for."""

from __future__ import annotations

import socket
from typing import Protocol, TypeAlias

from naftiko.errors import AddressInUse, SetupError

SocketKey: TypeAlias = tuple[str, int, str]
"""Address, port number, and for the number 0 what asked for a free port: those that ask alike share one."""


class Sockets(Protocol):
    """Where listening sockets come from."""

    def bind(self, key: SocketKey, owner: str, remedy: str) -> socket.socket: ...

    def release(self, key: SocketKey) -> None: ...


class OwnSockets:
    """Sockets that this process binds itself."""

    def bind(self, key: SocketKey, owner: str, remedy: str) -> socket.socket:
        """A listening socket. Raises as `bind` does."""
        return bind(key[0], key[1], owner, remedy)

    def release(self, key: SocketKey) -> None:
        """Forget a socket; the server that used it closes it."""


def bind(host: str, port: int, owner: str, remedy: str, *, is_shared: bool = False) -> socket.socket:
    """A listening socket. Port 0 picks a free one. Several sockets that are `is_shared` can have one port.

    Raises:
        AddressInUse: the port is taken; the message names `owner` and `remedy`.
        SetupError: the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise SetupError(f"{owner} cannot listen on `{host}`: it is no address of this machine") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(2048)
    except PermissionError as error:
        listener.close()
        raise SetupError(
            f"{owner} may not listen on port {port}: ports below 1024 need privileges; {remedy}"
        ) from error
    except OSError as error:
        listener.close()
        if error.errno in _IN_USE:
            raise AddressInUse(f"port {port} on {host} is in use, and {owner} needs it; {remedy}") from error
        raise SetupError(f"{owner} cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


_IN_USE = frozenset({48, 98, 10048})
"""`EADDRINUSE` on macOS, Linux and Windows."""
