"""Kinds of text that the specification names."""

from __future__ import annotations

from naftiko.spec.conformance.shapes import Alternatives, Kind, Table, Text

TEXT = Text()
KEBAB = Text(pattern=r"^[a-zA-Z0-9-]+$", what="a name of letters, digits and hyphens")
EXTENDED = Text(pattern=r"^[a-zA-Z0-9-_*]+$", what="a name of letters, digits, hyphens, underscores and asterisks")
UPPER = Text(pattern=r"^[A-Z][A-Z0-9_]*$", what="a variable's name in upper case, such as API_KEY")
CALL = Text(pattern=r"^[a-zA-Z0-9-]+\.[a-zA-Z0-9-]+$", what="of the form `namespace.name`")
URI = Text(pattern=r"^[a-zA-Z][a-zA-Z0-9+.-]*://", what="a URI with a scheme")
FILE_URI = Text(pattern=r"^file:///", what="a `file:///` URI")
DATE = Text(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", what="a date such as 2026-01-31")
EMAIL = Text(pattern=r"^[a-zA-Z0-9._%+\-]+@[a-zA-Z0-9.\-]+\.[a-zA-Z]{2,}$", what="an e-mail address")
DOTTED = Text(pattern=r"^[a-zA-Z0-9-_.]+$", what="a name with dots")
SIZE = Text(pattern=r"^\d+(\.\d+)?(B|KiB|MiB|GiB)$", what="a size such as 10MiB")
MEDIA = Text(
    pattern=r"^[a-zA-Z0-9!#$&^_.+-]+\/[a-zA-Z0-9!#$&^_.+-]+"
    r"(?:\s*;\s*[a-zA-Z0-9!#$&^_.+-]+=(?:[a-zA-Z0-9!#$&^_.+-]+|\"[^\"]*\"))*$",
    what="a media type",
)
STATUS = Text(pattern=r"^[1-5][0-9X]{2}$", what="a status such as 200 or 4XX")
BOOLEAN = Kind(("boolean",))
WITH = Table(Kind(("string", "number")))
EXPOSED_TYPE = Text(choices=("string", "number", "integer", "boolean", "array", "object"))
METHOD = Text(choices=("GET", "POST", "PUT", "PATCH", "DELETE"))
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_OCTET = r"(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
ADDRESS = Alternatives(
    (
        Text(pattern=rf"^({_LABEL})(\.{_LABEL})*$", what="a host name or an IP address"),
        Text(pattern=rf"^({_OCTET}\.){{3}}{_OCTET}$", what="an IPv4 address"),
        Text(pattern=r"^([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}$", what="an IPv6 address"),
    )
)
