"""Every exception this package raises on purpose.

    NaftikoError
    ├── CapabilityError          a capability cannot be loaded; carries its diagnostics
    ├── SourceError              a file cannot be read
    ├── SetupError               it loads, but cannot be started as asked
    │   ├── MissingVariables     variables it needs are not set
    │   ├── BindingError         a source of variables cannot be read
    │   ├── AddressInUse         a port is taken
    │   └── UnknownOperation     nothing of the name that was asked for is exposed
    └── CallError                a call failed; carries status, kind and what to do
        ├── InputError           400: the caller's input
        │   └── UnexpectedBody   400: the caller's body, where none is taken
        ├── BodyTooLarge         413: the caller's body
        ├── UnsupportedMedia     415: the caller's content type
        ├── NotRunnable          501: the operation cannot be carried out, and why
        ├── UpstreamUnreachable  502: no answer came
        ├── UpstreamInvalid      502: an answer came that cannot be passed on
        └── UpstreamTimeout      504: no answer in time

Foreign exceptions are translated once, where they enter, and kept as the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from naftiko.diagnostics import Diagnostic, Severity


class NaftikoError(Exception):
    """The base of all exceptions of this package."""


class CapabilityError(NaftikoError):
    """A capability cannot be loaded. `diagnostics` holds everything found, not only the errors."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = [found for found in self.diagnostics if found.severity is Severity.ERROR]
        lines = [f"{found.where}: {found.severity.label}[{found.code}]: {found.message}" for found in errors]
        super().__init__("\n".join(lines) or "the capability cannot be loaded")


class SourceError(NaftikoError):
    """A file cannot be read."""


class SetupError(NaftikoError):
    """The capability loads, but cannot be started as asked."""


class BindingError(SetupError):
    """A source of variables (an env file, a `location`) cannot be read."""


class AddressInUse(SetupError):
    """A port that an adapter needs is taken."""


class UnknownOperation(SetupError):
    """Nothing of the name that was asked for is exposed."""


class MissingVariables(SetupError):
    """Variables that the capability needs have no value. `diagnostics` names each with its place."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{found.where}: {found.message}" for found in self.diagnostics))


class CallError(NaftikoError):
    """A call failed.

    `status` is the HTTP status that tells it, `kind` the stable last segment of the problem type (RFC 9457,
    section 3.1.1), `title` says it in general and the message in particular. The message never holds a secret.
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "The call failed"

    def __init__(self, detail: str, *, upstream_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.upstream_seconds = upstream_seconds

    def at_step(self, step: str) -> None:
        """Say which step of several failed."""
        self.detail = f"the step `{step}`: {self.detail}"
        self.args = (self.detail,)


class InputError(CallError):
    """The caller's input is missing something or does not fit. `name` is the input, where one is to blame."""

    status = 400
    kind = "invalid-input"
    title = "The input is not valid"

    def __init__(self, detail: str, *, name: str | None = None) -> None:
        super().__init__(detail)
        self.name = name


class UnexpectedBody(InputError):
    """The caller sent a body to an operation that takes none."""

    kind = "unexpected-body"
    title = "The operation takes no body"


class BodyTooLarge(CallError):
    status = 413
    kind = "body-too-large"
    title = "The request body is too large"


class UnsupportedMedia(CallError):
    status = 415
    kind = "unsupported-media-type"
    title = "The content type is not supported"


class NotRunnable(CallError):
    status = 501
    kind = "not-runnable"
    title = "The operation cannot be carried out"


class UpstreamUnreachable(CallError):
    status = 502
    kind = "upstream-unreachable"
    title = "The upstream cannot be reached"


class UpstreamInvalid(CallError):
    status = 502
    kind = "upstream-invalid"
    title = "The upstream's answer cannot be passed on"


class UpstreamTimeout(CallError):
    status = 504
    kind = "upstream-timeout"
    title = "The upstream did not answer in time"
