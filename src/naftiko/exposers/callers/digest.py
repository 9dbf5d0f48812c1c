"""HTTP Digest (RFC 7616) with SHA-256, from the server's side."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.request import parse_http_list, parse_keqv_list

from naftiko.exposers.callers.gate import DENIED, Asked, Caller, Denied, Gate, named_in
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

_REALM = "naftiko"
LIFETIME = 300
"""Seconds for which a nonce is good."""

_NONCES = 10_000
_WINDOW = 256
"""Numbers of uses, counted back from the highest, of which it is known whether they were used."""

_STALE = Denied(
    error="stale",
    description="the nonce of these credentials is too old; a new one comes with this answer",
    is_wrong=False,
)


class DigestGate(Gate):
    """Lets callers in who answer a challenge with the digest of user name and password.

    A nonce says when it was made, sealed with the password, so that all processes take it and none need remember it
    before it is used; no two are the same. Each number of its uses is taken once by a process. `clock` gives seconds
    since 1970.
    """

    def __init__(self, plan: AuthPlan, variables: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._plan = plan
        self._variables = variables
        self._clock = clock
        self._uses: dict[str, tuple[int, int]] = {}

    @property
    def is_sent_by_browsers(self) -> bool:
        return True

    def _setting(self, name: str) -> str | None:
        value = self._plan.settings[name].resolve(Scope(self._variables, {}, {}, {}))
        return None if value is MISSING or value is None else as_text(value)

    def challenge(self, asked: Asked, denied: Denied) -> str | None:
        stale = ", stale=true" if denied is _STALE else ""
        return f'Digest realm="{_REALM}", qop="auth", algorithm=SHA-256, nonce="{self._nonce()}"{stale}, charset=UTF-8'

    def is_tried(self, asked: Asked) -> bool:
        """Whether an answer to a challenge is shown; to ask for a challenge is no try."""
        return asked.headers.get("authorization", "")[:7].lower() == "digest "

    def known(self, asked: Asked) -> Caller | None:
        found = self._checked(asked)
        return found if isinstance(found, Caller) else None

    async def check(self, asked: Asked) -> Caller | Denied:
        return self._checked(asked)

    def _checked(self, asked: Asked) -> Caller | Denied:
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        username, password = self._setting("username"), self._setting("password")
        if scheme.lower() != "digest" or username is None or not password:
            return DENIED
        try:
            fields = parse_keqv_list(parse_http_list(rest))
            count = int(fields.get("nc", ""), 16)
        except (ValueError, IndexError):
            return DENIED
        if fields.get("algorithm", "SHA-256").upper() != "SHA-256" or fields.get("qop") != "auth":
            return DENIED
        nonce = fields.get("nonce", "")
        is_ours, is_old = self._made_by_us(nonce, password)
        first = _hash(f"{username}:{_REALM}:{password}")
        second = _hash(f"{asked.method}:{fields.get('uri', '')}")
        parts = (first, nonce, fields["nc"], fields.get("cnonce", ""), "auth", second)
        is_same = hmac.compare_digest(_hash(":".join(parts)).encode(), fields.get("response", "").lower().encode())
        is_named = hmac.compare_digest(username.encode(), fields.get("username", "").encode())
        is_meant = fields.get("uri") == asked.target and fields.get("realm") == _REALM
        if not (is_ours and is_same and is_named and is_meant):
            return DENIED
        return _STALE if is_old or not self._is_new(nonce, count) else named_in(self._plan, "username")

    def _is_new(self, nonce: str, count: int) -> bool:
        """Whether a use of a nonce is the first of its number (RFC 7616, section 3.3); those of late may come out of
        order, as requests that are sent at once do."""
        if nonce not in self._uses and len(self._uses) >= _NONCES:
            self._forget()
            if len(self._uses) >= _NONCES:
                return False  # to forget one that is good would let its uses be shown again
        highest, seen = self._uses.get(nonce, (0, 0))
        if count > highest:
            highest, seen = count, ((seen << min(count - highest, _WINDOW)) | 1) & ((1 << _WINDOW) - 1)
        elif count <= highest - _WINDOW or count < 1 or seen >> (highest - count) & 1:
            return False
        else:
            seen |= 1 << (highest - count)
        self._uses[nonce] = (highest, seen)
        return True

    def _forget(self) -> None:
        """Forget the uses of nonces that are too old."""
        least = int(self._clock()) - LIFETIME
        for nonce in list(self._uses):
            if int(nonce.partition(".")[0], 16) < least:
                del self._uses[nonce]

    def _nonce(self) -> str:
        stamp = f"{int(self._clock()):x}.{secrets.token_hex(8)}"
        return f"{stamp}-{self._seal(stamp, self._setting('password') or '')}"

    def _made_by_us(self, nonce: str, password: str) -> tuple[bool, bool]:
        """Whether a nonce is ours, and whether it is too old."""
        stamp, _, seal = nonce.partition("-")
        try:
            age = self._clock() - int(stamp.partition(".")[0], 16)
        except ValueError:
            return False, False
        return hmac.compare_digest(seal.encode(), self._seal(stamp, password).encode()), not 0 <= age <= LIFETIME

    def _seal(self, stamp: str, password: str) -> str:
        return hmac.new(b"naftiko nonce " + password.encode(), stamp.encode(), hashlib.sha256).hexdigest()[:32]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
