"""Placeholder credentials: a value for every variable, in the form that the authentication it feeds needs."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from naftiko.plan import Plan
from naftiko.values.expressions import Variable


def placeholders(plan: Plan) -> dict[str, str]:
    """A value for each variable of a plan, by its key."""
    values = {variable.key: f"sandbox-{variable.name}" for variable in plan.variables}
    for upstream in plan.upstreams:
        auth = upstream.auth
        for name, expression in auth.settings.items() if auth is not None else ():
            if not isinstance(expression, Variable) or auth is None:
                continue
            if auth.scheme == "oauth1" and name == "signingKey":
                values[expression.key] = _rsa_key()
    return values


@cache
def _rsa_key() -> str:
    """An RSA key of nobody, in PEM."""
    rsa: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(*form).decode())
