"""An authentication scheme: a pin in a header."""

from __future__ import annotations

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.scheme import Scheme, setting
from naftiko.consumers.http.schemes import SchemeKind
from naftiko.values.expressions import Scope


class Pin(Scheme):
    """Puts `pin` into `X-Pin`."""

    def apply(self, draft: Draft, scope: Scope) -> None:
        draft.set_default("X-Pin", setting(self.plan, "pin", scope))


PIN = SchemeKind("example-pin", Pin, settings=("pin",), required=("pin",))
