"""TLS of what is served: a certificate and its key from files, which may be replaced while it serves."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from dataclasses import dataclass, field

from naftiko.errors import SetupError

_AGAIN = 10.0
"""Seconds after which the files are looked at again."""

_log = logging.getLogger("naftiko.tls")


@dataclass(slots=True)
class Tls:
    """What connections are secured by. With `client_ca` callers must show a certificate that it has signed.

    Raises:
        SetupError: a file cannot be read, or key and certificate do not belong together.
    """

    certificate: str
    key: str
    client_ca: str | None = None
    context: ssl.SSLContext = field(init=False)
    _current: ssl.SSLContext = field(init=False)
    _seen: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = self._stamp()
        self.context = self._current = self._made()
        self.context.sni_callback = self._begun

    def _begun(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """A connection begins, by the files as they are now."""
        connection.context = self._current

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, password=_nobody)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
                context.options |= ssl.OP_NO_TICKET  # a session that goes on would outlive who signed for it
                context.num_tickets = 0
        except (OSError, ValueError) as error:
            raise SetupError(f"TLS cannot be used with {self.certificate} and {self.key}: {_why(error)}") from error
        return context

    def _stamp(self) -> tuple[object, ...]:
        """What changes when a file does."""
        found: list[object] = []
        for name in (self.certificate, self.key, *((self.client_ca,) if self.client_ca is not None else ())):
            try:
                facts = os.stat(name)
            except OSError:
                found.append(None)
            else:
                found.append((facts.st_mtime_ns, facts.st_size, facts.st_ino))
        return tuple(found)

    def refresh(self) -> bool:
        """Take over new files, where there are some that belong together; connections that are open stay as they are.

        Returns whether new ones are used. For use beside the event loop.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            self._current = self._made()
        except SetupError as error:
            _log.warning("the new files are not taken: %s", error)
            return False
        _log.info("a new certificate is used: %s", self.certificate)
        return True

    async def keep(self) -> None:
        """Look for new files now and then, until cancelled."""
        while True:
            await asyncio.sleep(_AGAIN)
            await asyncio.to_thread(self.refresh)


def _nobody() -> str:
    """A key with a passphrase is refused: nobody is there to type it."""
    raise ValueError("the key is encrypted, and nobody is there to give its passphrase")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "key and certificate do not belong together, or are none" if error.reason else "they cannot be read"
    if isinstance(error, OSError):
        return (error.strerror or "they cannot be read").lower()
    return str(error)
