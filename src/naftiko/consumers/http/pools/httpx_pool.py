"""httpx's own pool: the slowest under concurrency, and the one that everything else is compared with."""

from __future__ import annotations

import httpx

from naftiko.consumers.http.pools.settings import PoolSettings


class HttpxPool(httpx.AsyncHTTPTransport):
    """The connections of one upstream."""

    def __init__(self, settings: PoolSettings) -> None:
        super().__init__(
            verify=settings.tls(),
            proxy=settings.proxy(),
            limits=httpx.Limits(
                max_connections=settings.connections,
                max_keepalive_connections=settings.connections,
                keepalive_expiry=30,
            ),
        )
