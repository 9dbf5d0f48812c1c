"""Which resources clients listen to (MCP 2025-11-25, resources, subscriptions)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

MOST_SESSIONS = 1000
MOST_URIS = 200
MOST_CHARACTERS = 4 * 1024 * 1024
"""Those of all URIs that clients of one endpoint listen to."""


class Subscriptions:
    """URIs by session. The sessions that subscribed least recently are forgotten when there are too many."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._size = 0

    def add(self, session: str, uri: str) -> bool:
        """Note a subscription; False where the session has too many."""
        known = self._by_session.setdefault(session, {})
        self._by_session.move_to_end(session)
        if uri not in known:
            if len(known) >= MOST_URIS:
                return False
            known[uri] = None
            self._size += len(uri)
        while len(self._by_session) > MOST_SESSIONS or (self._size > MOST_CHARACTERS and len(self._by_session) > 1):
            _, forgotten = self._by_session.popitem(last=False)
            self._size -= sum(map(len, forgotten))
        return True

    def remove(self, session: str, uri: str) -> None:
        known = self._by_session.get(session)
        if known is not None:
            if uri in known:
                del known[uri]
                self._size -= len(uri)
            if not known:
                del self._by_session[session]

    def among(self, session: str, uris: Collection[str]) -> list[str]:
        """Those of some URIs that a session listens to."""
        return [uri for uri in self._by_session.get(session, {}) if uri in uris]

    def all(self) -> set[str]:
        """Every URI that somebody listens to."""
        return {uri for known in self._by_session.values() for uri in known}


class Listening:
    """URIs of streams that are open (`subscriptions/listen`, MCP 2026-07-28), which are forgotten with them."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._size = 0

    def begin(self, uris: Iterable[str]) -> bool:
        """Note those of a stream; False where all streams together listen to too much."""
        new = list(uris)
        size = sum(map(len, new))
        if self._size + size > MOST_CHARACTERS:
            return False
        self._size += size
        for uri in new:
            self._counts[uri] = self._counts.get(uri, 0) + 1
        return True

    def end(self, uris: Iterable[str]) -> None:
        """Forget those of a stream that was noted."""
        for uri in uris:
            self._size -= len(uri)
            self._counts[uri] -= 1
            if not self._counts[uri]:
                del self._counts[uri]

    def all(self) -> Collection[str]:
        """Every URI that some stream listens to."""
        return self._counts.keys()
