"""What every pool of connections is told, and how TLS and proxies are set up for it."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Connections to `origin`: seconds for making one and for a whole exchange, how many there may be at once, and a
    client certificate with its key in PEM."""

    origin: str
    connect: float
    total: float
    connections: int
    identity: bytes | None = None

    def tls(self) -> ssl.SSLContext:
        """What is trusted: certifi's certificates, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name."""
        return trust() if self.identity is None else _identified(self.identity)

    def proxy(self) -> str | None:
        """The proxy on the way, as the environment has it (`HTTPS_PROXY`, `NO_PROXY` and so on).

        Raises:
            httpx.ProxyError: it is no HTTP proxy.
        """
        parts = urlsplit(self.origin)
        proxies = getproxies()
        found = proxies.get(parts.scheme) or proxies.get("all")
        if not found or proxy_bypass(parts.hostname or ""):
            return None
        if "://" not in found:
            return f"http://{found}"
        if not found.lower().startswith(("http://", "https://")):
            raise httpx.ProxyError("the proxy is of a kind that is not supported")
        return found


@cache
def trust() -> ssl.SSLContext:
    """Made once: reading all certificates takes longer than many a call."""
    return httpx.create_ssl_context()


def _identified(identity: bytes) -> ssl.SSLContext:
    """A context with a client certificate. The standard library reads certificates from files only."""
    context = httpx.create_ssl_context()
    with tempfile.NamedTemporaryFile() as file:
        file.write(identity)
        file.flush()
        context.load_cert_chain(file.name)
    return context
