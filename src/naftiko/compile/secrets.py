"""Which values of a request are credentials."""

from __future__ import annotations

import re

from naftiko.compile.declared import blamed
from naftiko.compile.walk import walk
from naftiko.plan import OutputPlan, RequestPlan
from naftiko.values.expressions import Expression, Literal, Variable

_SURE = re.compile(
    r"authorization|token|secret|passw|passphrase|credential|signature"
    r"|(?:api|access|private|client|subscription|signing)[-_. ]?key",
    re.IGNORECASE,
)
"""Names of credentials."""

_PERHAPS = re.compile(r"(?:^|[-_.])(?:key|auth|session|cookie|sig|pin)$|(?:Key|Auth)$", re.IGNORECASE)
"""Names that credentials have, and other things, too: the value tells."""


def secrets(plan: RequestPlan) -> tuple[tuple[Expression, bool], ...]:
    """The values of a request that are credentials, by the name of the parameter or of the variable they come from.

    Each with whether the name leaves no doubt.
    """
    found: list[tuple[Expression, bool]] = []
    for item in (*plan.query, *plan.headers, *plan.cookies):
        is_sure = _SURE.search(item.name) is not None
        if (is_sure or _PERHAPS.search(item.name)) and blamed(item.expression) is None:
            found.append((item.expression, is_sure and not isinstance(item.expression, Literal)))
    for leaf in walk([plan], OutputPlan()):
        if isinstance(leaf, Variable):
            is_sure = _SURE.search(leaf.key) is not None
            if is_sure or _PERHAPS.search(leaf.key):
                found.append((leaf, is_sure))
    return tuple(found)
