"""Security requirements as `authentication` and `binds`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from naftiko.authoring.naming import Names, kebab, variable
from naftiko.authoring.openapi.model import Requirement, Scheme
from naftiko.authoring.openapi.views import View
from naftiko.authoring.wording import sentence


@dataclass(slots=True)
class Access:
    """How an API is asked to let callers in. `variables` has what each is for; `name` tells it from other ways."""

    name: str
    authentication: Mapping[str, Any] | None = None
    inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


class Accesses:
    """Makes each way to be let in once."""

    def __init__(self, schemes: Mapping[str, Scheme], prefix: str, root: View) -> None:
        self._schemes = schemes
        self._prefix = prefix
        self._root = root
        self._names = Names(["public"])
        self._variables: dict[tuple[str, str], str] = {}
        self._known: dict[Requirement, Access] = {}
        self._told: set[str] = set()

    def of(self, ways: Sequence[Requirement]) -> Access:
        """The first way that can be gone; without any that needs a credential, the one of everybody."""
        needed = [way for way in ways if way]
        for way in needed:
            if all(name in self._schemes and self._schemes[name].kind for name in way):
                key = tuple(sorted(way))
                if key not in self._known:
                    self._known[key] = self._made(way)
                return self._known[key]
        for name in dict.fromkeys(name for way in needed for name in way):
            self._cannot(name)
        return self._known.setdefault((), Access("public"))

    def _cannot(self, name: str) -> None:
        scheme = self._schemes.get(name)
        if name in self._told:
            return
        self._told.add(name)
        if scheme is None:
            self._root.invalid(
                f"the security scheme `{name}` is not there; what needs it is called without credentials",
                "add `authentication:`, if the API asks for one",
            )
            return
        scheme.view.left(
            f"the security scheme `{name}` cannot be carried out; what needs it is called without credentials",
            "add `authentication:`, if the API takes another one",
        )

    def _made(self, way: Requirement) -> Access:
        access = Access(self._names.give(kebab("-".join(way), "access", 24)))
        for name in sorted(way, key=lambda name: self._schemes[name].kind == "apikey"):  # keys can be inputs, too
            scheme = self._schemes[name]
            values = self._values(scheme, access)
            if access.authentication is None and not (scheme.kind == "apikey" and scheme.place == "cookie"):
                access.authentication = values
            elif scheme.kind == "apikey":
                access.inputs[scheme.key] = {"in": scheme.place, "value": values["value"]}
            else:
                scheme.view.left(
                    f"the security scheme `{name}` is left out: one of its kind is sent already",
                    "a namespace has one `authentication`",
                )
        return access

    def _values(self, scheme: Scheme, access: Access) -> dict[str, Any]:
        about = sentence(scheme.description, 120)
        if scheme.kind in ("basic", "digest"):
            user, password = self._variable("USERNAME", scheme), self._variable("PASSWORD", scheme)
            access.variables |= {user: about or "The user", password: "The user's password"}
            return {"type": scheme.kind, "username": _read(user), "password": _read(password)}
        if scheme.kind == "apikey":
            key = self._variable("API_KEY", scheme)
            access.variables[key] = about or f"Sent as `{scheme.key}` in {scheme.place}"
            return {"type": "apikey", "key": scheme.key, "value": _read(key), "placement": scheme.place}
        token = self._variable("TOKEN", scheme)
        access.variables[token] = about or "An access token"
        if scheme.kind == "token":
            scheme.view.changed(f"tokens are not fetched: `{token}` must hold one", "a token is sent as `Bearer`")
        return {"type": "bearer", "token": _read(token)}

    def _variable(self, what: str, scheme: Scheme) -> str:
        """A name for a variable; with the scheme's own where another scheme has the plain one."""
        same = [other for other in self._schemes.values() if _what(other) == _what(scheme)]
        is_first = len(same) < 2 or same[0] is scheme
        return self.variable(scheme.name, what, *(() if is_first else (scheme.name,)), what)

    def variable(self, owner: str, what: str, *words: str) -> str:
        """The variable for what somebody needs, by some words: no two things share one, whatever they are called."""
        key = (owner, what)
        if key not in self._variables:
            wanted = name = variable(self._prefix, *words)
            number = 2
            while name in self._variables.values():
                name, number = f"{wanted}_{number}", number + 1
            self._variables[key] = name
        return self._variables[key]


def _what(scheme: Scheme) -> str:
    return {"digest": "basic", "token": "bearer"}.get(scheme.kind, scheme.kind)


def _read(name: str) -> str:
    return "{{env." + name + "}}"
