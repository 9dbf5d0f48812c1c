"""What an adapter demands of its callers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

from naftiko.plan import AuthPlan
from naftiko.values.expressions import Literal, as_text

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a name for the log, where the credentials have one, and the scopes that they grant.

    `scopes` are None where the credentials know no scopes, and so grant everything.
    """

    name: str | None = None
    scopes: frozenset[str] | None = None


ANYBODY = Caller()


def named_in(plan: AuthPlan, key: str) -> Caller:
    """The caller whose name is a setting: told where it stands in the file, not where it is a variable's value."""
    setting = plan.settings.get(key)
    return Caller(as_text(setting.value)) if isinstance(setting, Literal) else ANYBODY


"""A caller of whom nothing is known but that the credentials are right."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as credentials are concerned. Header names are in lower case; `target` is as it was sent.

    `metadata` is the address at which the resource's metadata is (RFC 9728), where it has some.
    """

    headers: Headers
    query: str
    method: str = ""
    target: str = ""
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a caller is not let in: 401 for credentials that are missing or wrong, 403 for too few rights, 503 where
    nobody can tell. `error` and `description` are as RFC 6750, section 3.1, has them; `is_wrong` tells that credentials
    were tried which are no good."""

    status: int = 401
    error: str | None = None
    description: str = "the request carries no valid credentials for this adapter"
    scope: str | None = None
    is_wrong: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


DENIED = Denied()

_DOORS = count(1)


class Gate(ABC):
    """Lets callers in who show an adapter's credentials."""

    @cached_property
    def door(self) -> int:
        """What wrong credentials are counted by: each gate has its own."""
        return next(_DOORS)

    @property
    def is_by_header(self) -> bool:
        """Whether callers prove who they are with a header: no page in a browser can make one that does."""
        return True

    @property
    def is_sent_by_browsers(self) -> bool:
        """Whether a browser sends the credentials by itself, whichever page asks it to (basic, cookies)."""
        return False

    @property
    def takes_tokens(self) -> bool:
        """Whether it lets callers in with tokens of an authorization server, whose metadata tell where to get them."""
        return False

    @property
    def resource(self) -> str | None:
        """The resource that tokens are for (RFC 8707), as declared."""
        return None

    def metadata(self, url: str) -> dict[str, object]:
        """What the resource says of itself (RFC 9728, section 2). `url` is where it was asked for."""
        return {"resource": url}

    def renew(self) -> None:  # noqa: B027 - most read their variables when they are asked
        """Take the credentials from the variables, which may have changed."""

    async def close(self) -> None:  # noqa: B027 - most have nothing to end
        """End what it does beside answering."""

    @property
    def withheld(self) -> frozenset[tuple[str, str]]:
        """The credentials meant for us, which must not travel on: place and lower-case name of each."""
        return frozenset({("header", "authorization")})

    @abstractmethod
    def challenge(self, asked: Asked, denied: Denied) -> str | None:
        """The `WWW-Authenticate` that a refused caller is sent (RFC 9110, section 11.6.1)."""

    def is_tried(self, asked: Asked) -> bool:
        """Whether a request shows any credentials, right or wrong."""
        return "authorization" in asked.headers

    @abstractmethod
    def known(self, asked: Asked) -> Caller | None:
        """Who calls, as far as that can be said at once; None where the credentials are wrong, or must be looked up."""

    async def check(self, asked: Asked) -> Caller | Denied:
        """Who calls, or why they may not."""
        return self.known(asked) or DENIED
