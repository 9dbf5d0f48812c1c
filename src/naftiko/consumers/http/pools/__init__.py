"""Pools of connections: transports of httpx for one upstream each. `docs/performance.md` has the figures of each.

To add one: write its module with a class that takes a `PoolSettings`, and put it into `POOLS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import cast

import httpx

from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.errors import SetupError

_HERE = "naftiko.consumers.http.pools"
POOLS: Mapping[str, str] = {
    "http1": f"{_HERE}.http1_pool:Http1Pool",
    "aiohttp": f"{_HERE}.aiohttp_pool:AiohttpPool",
    "reqwest": f"{_HERE}.reqwest_pool:ReqwestPool",
    "httpx": f"{_HERE}.httpx_pool:HttpxPool",
}
"""What can carry requests, by name, the default first. Each is imported when it is needed: that takes a while."""

DEFAULT = next(iter(POOLS))
_BY_PROXY = "aiohttp"


def load_pool(
    name: str, import_module: Callable[[str], ModuleType] = importlib.import_module
) -> type[httpx.AsyncBaseTransport]:
    """The class of a pool. `import_module` is what imports its module.

    Raises:
        SetupError: its library is not installed, or there is no such pool.
    """
    if name not in POOLS:
        raise SetupError(f"there is no transport `{name}`; there are {', '.join(POOLS)}")
    module, _, attribute = POOLS[name].partition(":")
    try:
        return cast(type[httpx.AsyncBaseTransport], getattr(import_module(module), attribute))
    except ImportError as error:
        raise SetupError(f"the transport `{name}` needs an extra: pip install 'naftiko[{name}]'") from error


def open_pool(name: str, settings: PoolSettings) -> httpx.AsyncBaseTransport:
    """A pool for one upstream. By way of a proxy aiohttp's client stands in for the default.

    Raises:
        SetupError: its library is not installed, or there is no such pool.
        httpx.ProxyError: the proxy is none that is known.
    """
    if name == DEFAULT and settings.proxy() is not None:
        name = _BY_PROXY
    make = cast("type[_Pool]", load_pool(name))
    return make(settings)


class _Pool(httpx.AsyncBaseTransport):
    """How every pool is made."""

    def __init__(self, settings: PoolSettings) -> None: ...
