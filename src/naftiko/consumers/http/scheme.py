"""What an authentication scheme is, and the credentials that its settings hold."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field

import httpx

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.values import field_value
from naftiko.errors import InputError, NotRunnable
from naftiko.plan import AuthPlan, ParameterPlan
from naftiko.values.expressions import Scope, SpelledInput, as_text, leaves
from naftiko.values.missing import MISSING


@dataclass(frozen=True, slots=True)
class SchemeContext:
    """What a scheme has beside its settings: the time in seconds since 1970, and what carries requests of its own.

    `connections` gives a transport for an origin other than the upstream's, such as a token server's; who asks for it
    closes it. `kept` holds what is to outlive a reload, such as a token, by name.
    """

    clock: Callable[[], float] = time.time
    connections: Callable[[str], httpx.AsyncBaseTransport] | None = None
    kept: MutableMapping[str, object] = field(default_factory=dict)


class Scheme(ABC):
    """An authentication scheme of one upstream, from `open` to `close`. `plan` has its settings."""

    def __init__(self, plan: AuthPlan) -> None:
        self.plan = plan
        self.context = SchemeContext()

    def open(self, context: SchemeContext) -> None:
        """Called once, before the first request."""
        self.context = context

    @abstractmethod
    def apply(self, draft: Draft, scope: Scope) -> None:
        """Put credentials into a request that is otherwise complete; what the caller filled is left alone.

        Raises:
            NotRunnable: a credential has no value.
        """

    def header(self, scope: Scope) -> tuple[str, str] | None:
        """The header that is all that `apply` puts into a request, whatever the request is; None where it does more.

        Raises:
            NotRunnable: a credential has no value.
        """
        return None

    def flow(self, draft: Draft, scope: Scope) -> httpx.Auth | None:
        """What signs the request, answers its challenge or gets a token for it, where `apply` cannot: it may send
        requests of its own, and is carried out each time that the request is sent."""
        return None

    def renew(self) -> None:  # noqa: B027 - most keep nothing
        """Called when variables have other values: forget what was made of them."""

    async def close(self) -> None:  # noqa: B027 - most have nothing to end
        """Called once, when no call is under way any more."""


def setting(plan: AuthPlan, name: str, scope: Scope) -> str:
    """A credential's text.

    Raises:
        NotRunnable: it has no value.
    """
    expression = plan.settings[name]
    value = expression.resolve(scope)
    if value is MISSING or value is None:
        raise NotRunnable(f"the credential `{name}` has no value")
    text = as_text(value)
    try:
        return field_value(text, ParameterPlan(name, expression, None, True, name))
    except InputError as error:
        if any(isinstance(leaf, SpelledInput) for leaf in leaves(expression)):
            raise
        raise NotRunnable(f"the credential `{name}` holds a character that HTTP cannot carry") from error


_SHOWN = frozenset({"username", "region", "service", "realm", "signatureMethod", "certificate"})
"""Settings that are no secrets."""


def secrets(plan: AuthPlan, scope: Scope) -> tuple[str, ...]:
    """The operator's credentials of a scheme, as they are sent: what no answer may show."""
    found = {name: expression.resolve(scope) for name, expression in plan.settings.items()}
    texts = {name: as_text(value) for name, value in found.items() if value is not MISSING and value is not None}
    hidden = [text for name, text in texts.items() if name not in _SHOWN]
    if plan.scheme == "basic" and texts.get("password"):
        hidden.append(f"{texts.get('username', '')}:{texts['password']}")
    return tuple(hidden)
