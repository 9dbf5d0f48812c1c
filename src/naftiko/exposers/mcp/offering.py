"""Which tools a client is offered: all, or three that find, describe and call them; fewer by its URL's query."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.engine.life import Life
from naftiko.exposers.adapter import McpAdapter
from naftiko.plan import ToolPlan

Mode: TypeAlias = Literal["all", "search", "code"]
MODES: tuple[Mode, ...] = ("all", "search", "code")

MOST_LISTED = 60
"""With more tools than that on an endpoint of many capabilities, they are found by a search, unless all are wanted."""

HINTS = ("readOnly", "destructive", "idempotent", "openWorld")
SEARCH, DESCRIBE, CALL, RUN = "search-tools", "describe-tools", "call-tool", "run-code"
_LONGEST_QUERY = 4096
_MOST_VALUES = 100

Pairs: TypeAlias = "Mapping[str, tuple[McpAdapter, ToolPlan]]"


class Runs(Protocol):
    """Runs code whose functions are those of a mapping, which says what each is for `call`; that gives what reads the
    answer, beside the event loop.

    Raises:
        ValueError: it failed, in words for whoever wrote it.
    """

    async def __call__(
        self,
        code: str,
        functions: Mapping[str, str],
        call: Callable[[str, dict[str, Any]], Awaitable[Callable[[], object]]],
        life: Life,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """How tools are offered. Without a `mode` their number decides. `pins` are names that are always listed.

    `runs` runs code of callers, for the mode `code`.
    """

    mode: Mode | None = None
    pins: frozenset[str] = frozenset()
    runs: Runs | None = None

    def decides(self, count: int, *, is_joint: bool) -> Mode:
        """How so many tools are offered."""
        return self.mode or ("search" if is_joint and count > MOST_LISTED else "all")


EVERY_TOOL = Offer("all")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client's URL narrows its tools down to (`?tags=a,b&namespaces=c&hints=readOnly&tools=all`).

    A tool has one of the tags, one of the namespaces, and each of the hints.
    """

    tags: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    hints: frozenset[str] = frozenset()
    tools: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.tags or self.namespaces or self.hints)

    def has(self, adapter: McpAdapter, tool: ToolPlan) -> bool:
        """Whether a tool is among those that are wanted."""
        if self.namespaces and adapter.plan.namespace not in self.namespaces:
            return False
        if any(tool.hints.get(hint) is not True for hint in self.hints):
            return False
        return not self.tags or any(tag.casefold() in self.tags for tag in tags_of(adapter, tool))


EVERYTHING = Wanted()


def tags_of(adapter: McpAdapter, tool: ToolPlan) -> tuple[str, ...]:
    """The tags of a tool: its own and its capability's."""
    return (*tool.tags, *adapter.tags)


def wanted_of(query: bytes) -> Wanted:
    """What a URL's query asks for. Parameters that are not ours are left to others.

    Raises:
        ValueError: a value of ours is not valid, in words for the caller.
    """
    if not query:
        return EVERYTHING
    if len(query) > _LONGEST_QUERY:
        raise ValueError(f"the query of the URL is longer than {_LONGEST_QUERY} characters")
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_VALUES):
        found.setdefault(name, []).extend(part.strip() for part in value.split(",") if part.strip())
    hints = frozenset(found.get("hints", ()))
    for hint in sorted(hints - {*HINTS}):
        raise ValueError(f"`hints={hint[:60]}` is not known; {_valid(hint, HINTS)}")
    tools = found.get("tools", [None])[-1:] or [None]
    if tools[0] not in (None, "all", "search"):
        raise ValueError(f"`tools={str(tools[0])[:60]}` is not known; valid: all, search")
    return Wanted(
        frozenset(tag.casefold() for tag in found.get("tags", ())),
        frozenset(found.get("namespaces", ())),
        hints,
        tools[0],
    )


def _valid(given: str, names: Sequence[str]) -> str:
    return did_you_mean(given, names) or f"valid: {', '.join(names)}"


class Offering:
    """What of an endpoint's tools a client sees: `listed`, and by `finders` all that are not.

    `finders` are the names of the tools that find others, by what they are called for: `SEARCH` and so on.
    """

    def __init__(self, pairs: Pairs, offer: Offer, wanted: Wanted, *, is_joint: bool) -> None:
        self._pairs = pairs
        self._wanted = wanted
        self._is_all = wanted.is_all
        names = [name for name in pairs if wanted.is_all or wanted.has(*pairs[name])]
        mode = offer.decides(len(names), is_joint=is_joint)
        if wanted.tools is not None and not (wanted.tools == "search" and mode == "code"):
            mode = "search" if wanted.tools == "search" else "all"
        self.mode: Mode = mode
        self.count = len(names)
        self.listed = names if mode == "all" else [name for name in names if name in offer.pins]
        self.finders: dict[str, str] = {}
        if mode != "all":
            uses = (SEARCH, DESCRIBE, CALL, *((RUN,) if mode == "code" else ()))
            self.finders = {_free(use, pairs): use for use in uses}

    def has(self, name: str) -> bool:
        """Whether a tool can be called."""
        pair = self._pairs.get(name)
        return pair is not None and (self._is_all or self._wanted.has(*pair))

    def namespaces(self, among: Collection[int]) -> dict[str, int]:
        """How many tools each namespace has, of those adapters (by `id`) that the caller may use."""
        counts: dict[str, int] = {}
        for adapter, tool in self._pairs.values():
            if id(adapter) in among and (self._wanted.is_all or self._wanted.has(adapter, tool)):
                counts[adapter.plan.namespace] = counts.get(adapter.plan.namespace, 0) + 1
        return counts

    def names(self, among: Collection[int]) -> Iterator[str]:
        """The names of all tools that the caller may call."""
        return (name for name, (adapter, _) in self._pairs.items() if id(adapter) in among and self.has(name))


def _free(name: str, pairs: Pairs) -> str:
    """A name that no tool of a capability has."""
    found, number = name, 2
    while found in pairs:
        found, number = f"{name}-{number}", number + 1
    return found


def functions(names: Iterable[str]) -> dict[str, str]:
    """Tools by names that functions can have."""
    found: dict[str, str] = {}
    for name in names:
        base = identifier = re.sub(r"[^A-Za-z0-9_]|^(?=[0-9])", "_", name)
        number = 2
        while identifier in found:
            identifier, number = f"{base}_{number}", number + 1
        found[identifier] = name
    return found


def arguments_of(given: object) -> dict[str, object]:
    """The arguments that `call-tool` hands on; models send them as JSON in a string, too.

    Raises:
        ValueError: they are no object.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given) if given.strip() else None
        except (ValueError, RecursionError):
            given = ()
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValueError("`arguments` is an object of inputs by their names")
    return given
