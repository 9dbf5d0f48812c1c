"""Client certificates (mutual TLS, RFC 8446, section 4.4.2): read once, when a capability is opened."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.scheme import Scheme
from naftiko.errors import SetupError
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING


class ClientCertificate(Scheme):
    """The scheme of an upstream that knows us by our certificate: nothing is added to the requests themselves."""

    def apply(self, draft: Draft, scope: Scope) -> None:
        """Nothing: the connection shows the certificate."""


def client_identity(plan: AuthPlan, scope: Scope) -> bytes | None:
    """The certificate chain and its key, in PEM and not encrypted; None where a variable of it has no value.

    Raises:
        SetupError: the certificate or the key cannot be read, or they do not belong together.
    """
    values: dict[str, str] = {}
    for name, expression in plan.settings.items():
        value = expression.resolve(scope)
        if value is MISSING or value is None:
            return None
        values[name] = as_text(value)
    chain = _pem(values["certificate"], "certificate")
    key = _pem(values["key"], "key") if values.get("key") else chain
    x509: Any = importlib.import_module("cryptography.x509")
    serialization: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
    passphrase = values.get("passphrase")
    unsupported: Any = importlib.import_module("cryptography.exceptions").UnsupportedAlgorithm
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except (ValueError, unsupported) as error:
        raise SetupError("the client certificate is not a certificate in PEM") from error
    try:
        private = serialization.load_pem_private_key(key, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, unsupported) as error:
        reason = "it is no private key in PEM, or `passphrase` does not open it"
        raise SetupError(f"the key of the client certificate cannot be used: {reason}") from error
    public = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*public) != certificates[0].public_key().public_bytes(*public):
        raise SetupError("the key is not that of the client certificate")
    written = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates) + bytes(written)


def _pem(text: str, what: str) -> bytes:
    """PEM: the text itself, or the file it names."""
    if "-----BEGIN" in text:
        return text.replace("\\n", "\n").encode()
    try:
        return Path(text).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise SetupError(f"the {what} for the upstream is neither PEM nor a file that can be read") from error
