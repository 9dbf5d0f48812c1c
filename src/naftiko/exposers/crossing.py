"""Pages of other origins that may call (CORS: Fetch Standard, section 3.2), as adapters declare it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Scope

from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.asgi import headers_of
from naftiko.exposers.hosts import CROSSES
from naftiko.plan import CorsPlan


class Crossing:
    """Lets pages of some origins call an application, where the adapters that answer allow it."""

    def __init__(self, app: ASGIApp, adapters: Iterable[AnyAdapter]) -> None:
        self._app = app
        self._is_wanted = any(adapter.plan.cors is not None for adapter in adapters)
        self._ways: dict[CorsPlan, ASGIApp] = {}

    def __bool__(self) -> bool:
        return self._is_wanted

    def way(self, scope: Scope, adapters: Sequence[AnyAdapter]) -> ASGIApp | None:
        """What answers a request that a page of another origin sends to some adapters; None where one forbids it."""
        origin = headers_of(scope).get("origin")
        policy = _common([adapter.plan.cors for adapter in adapters])
        if origin is None or policy is None or not ("*" in policy.origins or origin in policy.origins):
            return None
        scope[CROSSES] = True
        app = self._ways.get(policy)
        if app is None:
            app = self._ways[policy] = _middleware(self._app, policy)
        return app


def _common(policies: Sequence[CorsPlan | None]) -> CorsPlan | None:
    """What all of some policies allow."""
    first, *others = policies or (None,)
    for other in others:
        if first is None or other is None:
            return None
        if "*" in first.origins or "*" in other.origins:
            origins = other.origins if "*" in first.origins else first.origins
        else:
            origins = _both(first.origins, other.origins)
        first = CorsPlan(
            origins=origins,
            methods=_both(first.methods, other.methods),
            headers=_both(first.headers, other.headers),
            exposed=_both(first.exposed, other.exposed),
            credentials=first.credentials and other.credentials,
            seconds=min(first.seconds, other.seconds),
        )
    return first


def _both(ones: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in ones if one in others)


def _middleware(app: ASGIApp, policy: CorsPlan) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=policy.origins,
        allow_methods=policy.methods,
        allow_headers=policy.headers,
        allow_credentials=policy.credentials,
        expose_headers=policy.exposed,
        max_age=policy.seconds,
    )
