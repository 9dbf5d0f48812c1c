"""`authentication` to an `AuthPlan`: a scheme by name, with settings that no caller fills."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from naftiko.compile.kinds import SchemeSettings
from naftiko.compile.scope import CALLERS
from naftiko.compile.variables import Variables
from naftiko.diagnostics import Diagnostic, Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.report import Report
from naftiko.plan import AuthPlan
from naftiko.spec.models.authentication import (
    SCHEME_NAMES,
    ApiKey,
    Authentication,
    AwsSigV4,
    Basic,
    Bearer,
    Certificate,
    Digest,
    Hmac,
    OAuth1,
    OAuth2,
    OtherAuthentication,
)
from naftiko.values.expressions import Expression, Literal, SpelledInput, leaves
from naftiko.values.headers import OF_THE_CONNECTION
from naftiko.values.secretlike import is_plain_word, looks_secret
from naftiko.values.templates import parse_text, template_names

HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A field name (RFC 9110, section 5.1)."""


@dataclass(frozen=True, slots=True)
class CompiledAuth:
    plan: AuthPlan | None
    fault: Diagnostic | None = None


_OAUTH1 = ("consumerKey", "consumerSecret", "token", "tokenSecret", "signingKey", "signatureMethod", "realm")


def compile_auth(
    auth: Authentication | None,
    path: Path,
    variables: Variables,
    report: Report,
    schemes: Mapping[str, SchemeSettings],
    *,
    host: str = "",
    inbound: bool = False,
) -> CompiledAuth:
    """The plan for an upstream's, or an adapter's, authentication; a fault where it cannot be carried out.

    `host` is the upstream's declared base URI, which tells an AWS service and its region. With `inbound` it is how
    callers of an adapter are authenticated.
    """
    if auth is None:
        return CompiledAuth(None)

    def setting(key: str, text: str | None) -> Expression:
        where = (*path, key)
        return _setting(text or "", where, variables)

    def named(keys: Sequence[str]) -> dict[str, Expression]:
        return {key: setting(key, getattr(auth, key)) for key in keys if getattr(auth, key)}

    def lacking(*keys: str) -> CompiledAuth | None:
        for key in keys:
            if not getattr(auth, key):
                message = f"`authentication` of type `{auth.type}` needs `{key}`"
                return CompiledAuth(None, report.add("auth-incomplete", message, path, key=True, help=f"add `{key}:`"))
        return None

    if isinstance(auth, Basic | Digest):
        settings = {key: setting(key, getattr(auth, key)) for key in ("username", "password")}
        return lacking("username") or CompiledAuth(AuthPlan(auth.type, settings))
    if isinstance(auth, Bearer) and auth.tokens and inbound:
        tokens = {item.name: setting("tokens", item.value) for item in auth.tokens}
        return CompiledAuth(AuthPlan("bearer", tokens, {"several": "true"}))
    if isinstance(auth, OAuth2) and inbound:
        return _oauth2(auth, path, variables, report)
    if isinstance(auth, Bearer):
        return lacking("token") or CompiledAuth(AuthPlan("bearer", {"token": setting("token", auth.token)}))
    if isinstance(auth, OAuth1):
        secret = None if auth.signingKey else lacking("consumerSecret")
        return lacking("consumerKey") or secret or CompiledAuth(AuthPlan("oauth1", named(_OAUTH1)))
    if isinstance(auth, AwsSigV4):
        settings = named(("accessKeyId", "secretAccessKey", "sessionToken", "region", "service"))
        return lacking("accessKeyId", "secretAccessKey") or CompiledAuth(
            AuthPlan("aws-sig-v4", settings, {"host": host})
        )
    if isinstance(auth, Hmac) and (auth.apiId or auth.apiKey):
        return lacking("apiId", "apiKey") or CompiledAuth(AuthPlan("hmac", named(("apiId", "apiKey"))))
    if isinstance(auth, Certificate):
        return lacking("certificate") or _certificate(named(("certificate", "key", "passphrase")), path, report)
    if isinstance(auth, ApiKey):
        return _apikey(auth, path, variables, report)
    if isinstance(auth, OtherAuthentication):
        return _other(auth, path, variables, report, schemes)
    message = f"the authentication `{auth.type}` is not supported yet, so no request can be authenticated"
    if isinstance(auth, Hmac):
        message = "what `hmac` signs is defined for an `apiId` with an `apiKey` only, so no request can be signed"
    return CompiledAuth(None, report.add("not-supported", message, (*path, "type"), severity=Severity.ERROR))


def _oauth2(auth: OAuth2, path: Path, variables: Variables, report: Report) -> CompiledAuth:
    """What tokens of callers must be."""
    listed = auth.authorizationServerUris is not None
    servers = auth.authorizationServerUris or ((auth.authorizationServerUri,) if auth.authorizationServerUri else ())
    key = "authorizationServerUris" if listed else "authorizationServerUri"
    lacks = [] if servers else ["authorizationServerUri"]
    if auth.tokenValidation == "introspection":
        lacks += [name for name in ("clientId", "clientSecret") if not getattr(auth, name)]
    if lacks:
        message = f"`authentication` of type `oauth2` needs `{lacks[0]}`"
        return CompiledAuth(None, report.add("auth-incomplete", message, path, key=True, help=f"add `{lacks[0]}:`"))
    if auth.audience is None and auth.resource is None:
        message = "tokens for any audience are taken: neither `audience` nor `resource` says whom they must be for"
        report.add("token-audience", message, path, key=True, help="add `audience:`")
    settings = {
        f"issuer:{index}": _setting(uri, (*path, key, index) if listed else (*path, key), variables)
        for index, uri in enumerate(servers)
    }
    for name in ("resource", "audience", "clientId", "clientSecret"):
        if getattr(auth, name):
            settings[name] = _setting(getattr(auth, name), (*path, name), variables)
    options = {"validation": auth.tokenValidation, "scopes": " ".join(auth.scopes or ())}
    if auth.tokenEndpoint and template_names(auth.tokenEndpoint):
        message, help = "`tokenEndpoint` is no template; OpenAPI does not name it", "write a URL"
        report.add("without-effect", message, (*path, "tokenEndpoint"), help=help)
    elif auth.tokenEndpoint:
        options["tokenEndpoint"] = auth.tokenEndpoint
    return CompiledAuth(AuthPlan("oauth2", settings, options))


def _other(
    auth: OtherAuthentication, path: Path, variables: Variables, report: Report, schemes: Mapping[str, SchemeSettings]
) -> CompiledAuth:
    """The settings of an extension's scheme."""
    if auth.type not in schemes:
        message = f"`{auth.type}` is not a known type of `authentication`"
        valid = ", ".join(f"`{name}`" for name in dict.fromkeys((*SCHEME_NAMES, *schemes)))
        found = report.add("unknown-type", message, (*path, "type"), help=f"valid: {valid}")
        return CompiledAuth(None, found)
    scheme, given = schemes[auth.type], auth.model_extra or {}
    for name in given:
        if name not in scheme.settings:
            message = f"`{name}` is not a key of `authentication` of type `{auth.type}`; it has no effect"
            help = did_you_mean(name, scheme.settings)
            report.add("unknown-key", message, (*path, name), key=True, severity=Severity.WARNING, help=help)
    for name in scheme.required:
        if given.get(name) in (None, ""):
            message = f"`authentication` of type `{auth.type}` needs `{name}`"
            found = report.add("auth-incomplete", message, path, key=True, help=f"add `{name}:`")
            return CompiledAuth(None, found)
    settings = {
        name: _setting(str(given[name]), (*path, name), variables)
        for name in scheme.settings
        if given.get(name) is not None
    }
    return CompiledAuth(AuthPlan(auth.type, settings))


def _certificate(settings: dict[str, Expression], path: Path, report: Report) -> CompiledAuth:
    """A client certificate: it belongs to the connections, which callers share."""
    for name, expression in settings.items():
        if any(isinstance(leaf, SpelledInput) for leaf in leaves(expression)):
            message = f"the `{name}` of a client certificate cannot come from a caller: its connections are shared"
            return CompiledAuth(None, report.add("not-supported", message, (*path, name), severity=Severity.ERROR))
    return CompiledAuth(AuthPlan("certificate", settings))


def _apikey(auth: ApiKey, path: Path, variables: Variables, report: Report) -> CompiledAuth:
    pairs: dict[str, tuple[str, Path]] = {}
    if auth.parameters:
        for index, parameter in enumerate(auth.parameters):
            pairs[parameter.name] = (parameter.value or "", (*path, "parameters", index, "value"))
    elif auth.key and auth.value is not None:
        pairs[auth.key] = (auth.value, (*path, "value"))
    else:
        lacks = "value" if auth.key else "key"
        message = f"`authentication` of type `apikey` needs `{lacks}`"
        return CompiledAuth(None, report.add("auth-incomplete", message, path, key=True, help=f"add `{lacks}:`"))
    if auth.placement in ("header", "cookie"):
        for name in pairs:
            if not HEADER_NAME.fullmatch(name):
                message = f"`{name}` cannot be the name of a {auth.placement}"
                return CompiledAuth(None, report.add("invalid-header-name", message, (*path, "key")))
            if auth.placement == "header" and name.lower() in OF_THE_CONNECTION:
                message = f"the header `{name}` belongs to the connection, and cannot carry a key"
                return CompiledAuth(
                    None, report.add("connection-header", message, (*path, "key"), severity=Severity.ERROR)
                )
    settings = {name: _setting(text, where, variables) for name, (text, where) in pairs.items()}
    return CompiledAuth(AuthPlan("apikey", settings, {"placement": auth.placement}))


_NOT_SECRET = frozenset(
    {
        "apiId",
        "audience",
        "authorizationServerUri",
        "authorizationServerUris",
        "clientId",
        "consumerKey",
        "realm",
        "region",
        "resource",
        "service",
        "signatureMethod",
        "username",
    }
)


def _setting(text: str, path: Path, variables: Variables) -> Expression:
    """A credential: bindings and the environment; a caller's input only where `rest.` or `tools.` says so."""
    if not any(name.partition(".")[0] in CALLERS for name in template_names(text)):
        expression = variables.setting(text, path)
        if isinstance(expression, Literal) and not _NOT_SECRET & {*path} and _is_secret(text):
            variables.literal_secret(path)
        return expression

    def resolve(name: str) -> Expression:
        prefix, dot, rest = name.partition(".")
        if dot and prefix in CALLERS:
            return SpelledInput(rest)
        return variables.operator(name, path)

    return parse_text(text, resolve)


def _is_secret(text: str) -> bool:
    """Whether a literal credential is a real one: any that is no placeholder and no word of the language."""
    return looks_secret(text) or not is_plain_word(text)
