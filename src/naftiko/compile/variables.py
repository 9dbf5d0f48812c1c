"""The variables a capability declares, and the record of which ones something uses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from naftiko.diagnostics import Path
from naftiko.document.nodes import Scalar, child, file_of, locate
from naftiko.document.report import Report
from naftiko.plan import VariablePlan, VariableUse
from naftiko.spec.models.binds import Binding
from naftiko.values.expressions import Expression, Literal, Variable
from naftiko.values.templates import parse_text

ENVIRONMENT = "env"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOLLAR = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}")


class Variables:
    """Declared bindings by variable name, and by bind namespace and name.

    Of a fragment, which other files import, those declare the variables.
    """

    def __init__(self, binds: Iterable[Binding], report: Report, directory: str, *, is_fragment: bool = False) -> None:
        self._is_fragment = is_fragment
        self._report = report
        self.directory = directory
        self._by_name: dict[str, VariablePlan] = {}
        self._by_namespace: dict[str, dict[str, VariablePlan]] = {}
        self._used: dict[str, VariablePlan] = {}
        self._uses: dict[str, dict[VariableUse, None]] = {}
        self._undeclared: set[str] = set()
        for bind in binds:
            table = self._by_namespace.setdefault(bind.namespace, {})
            for name, source_key in bind.keys.items():
                variable = VariablePlan(
                    key=f"{bind.namespace}.{name}",
                    name=name,
                    source=bind.location,
                    source_key=source_key or name,
                    directory=directory,
                    uses=(),
                )
                table[name] = variable
                self._by_name.setdefault(name, variable)

    def is_namespace(self, name: str) -> bool:
        return name == ENVIRONMENT or name in self._by_namespace

    def is_declared(self, name: str) -> bool:
        return name in self._by_name

    def names(self, namespace: str) -> list[str]:
        """The variables that a bind namespace declares."""
        return list(self._by_namespace.get(namespace, {}))

    def find(self, name: str, path: Path) -> Expression | None:
        """The binding that `NAME` or `namespace.NAME` means, if any does; it counts as used."""
        declared = self._by_name.get(name)
        if declared is not None:
            return self._use(declared, path)
        namespace, dot, rest = name.partition(".")
        if dot and self.is_namespace(namespace):
            declared = self._by_namespace.get(namespace, {}).get(rest)
            if declared is not None:
                return self._use(declared, path)
            if namespace == ENVIRONMENT and rest:
                return self.environment(rest, path)
        return None

    def environment(self, name: str, path: Path) -> Expression:
        """A variable of the process environment that no binding declares: a finding, not a failure."""
        variable = VariablePlan(
            key=f"{ENVIRONMENT}.{name}",
            name=name,
            source=None,
            source_key=name,
            directory=self.directory,
            uses=(),
            has_binding=False,
        )
        if variable.key not in self._undeclared and not self._is_fragment:
            self._undeclared.add(variable.key)
            message = f"the variable `{name}` is used, but no binding declares it; the process environment is asked"
            self._report.add(
                "undeclared-variable",
                message,
                path,
                help=f"declare it: `binds: [{{namespace: env, keys: {{{name}: {name}}}}}]`",
            )
        return self._use(variable, path)

    def operator(self, name: str, path: Path) -> Expression:
        """A name where only operators have a say (base URIs, credentials): a binding, else the environment."""
        found = self.find(name, path)
        if found is not None:
            return found
        return self.environment(name if _NAME.fullmatch(name) else environment_name(name), path)

    def server(self, name: str, path: Path) -> Expression:
        """A server variable `{tenant}`: `--var tenant=...`, or the variable `TENANT`."""
        if self.is_declared(name):
            found = self.find(name, path)
            if found is not None:
                return found
        variable = VariablePlan(
            key=f"server.{name}",
            name=name,
            source=None,
            source_key=environment_name(name),
            directory=self.directory,
            uses=(),
            has_binding=False,
        )
        return self._use(variable, path)

    def _use(self, variable: VariablePlan, path: Path) -> Expression:
        self._used.setdefault(variable.key, variable)
        span = locate(self._report.root, path)
        node = child(self._report.root, *path)
        use = VariableUse(file_of(self._report.root, path) or self._report.file, span, _what(path, node))
        self._uses.setdefault(variable.key, {})[use] = None
        return Variable(variable.key)

    def plans(self) -> tuple[VariablePlan, ...]:
        """The variables something uses, with the places that do."""
        return tuple(
            VariablePlan(
                key=variable.key,
                name=variable.name,
                source=variable.source,
                source_key=variable.source_key,
                directory=variable.directory,
                uses=tuple(sorted(self._uses[key], key=lambda use: (use.file, use.span))),
                has_binding=variable.has_binding,
            )
            for key, variable in self._used.items()
        )

    def literal_secret(self, path: Path) -> None:
        """A secret stands in the file, which is told without showing it."""
        message = (
            f"the value of `{path[-1]}` is a secret that stands in the file, and in whatever the file is copied to"
        )
        self._report.add("literal-secret", message, path, help="put it into a variable, and write `'{{env.NAME}}'`")

    def setting(self, text: str, path: Path) -> Expression:
        """A setting that only operators fill: text with `{{NAME}}` and `${NAME}` in it."""
        braced = _DOLLAR.sub(lambda match: "{{" + match[1] + "}}", text)
        if braced == text and "{{" not in text:
            if self.is_declared(text):
                message = f"`{text}` is sent as it stands; it is also the name of a variable"
                self._report.add("literal-like-variable", message, path, help="write `{{" + text + "}}` for its value")
            return Literal(text)
        return parse_text(braced, lambda name: self.operator(name, path))


def environment_name(name: str) -> str:
    """The environment variable for a server variable: `{ggsa-host}` is `GGSA_HOST`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()


def _what(path: Path, node: object) -> str:
    words = [str(part) for part in path if isinstance(part, str)]
    where = ".".join(words[-2:])
    return f"{where}: {node.text}" if isinstance(node, Scalar) and len(node.text) <= 80 else where
