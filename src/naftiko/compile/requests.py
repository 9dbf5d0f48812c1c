"""A consumed operation, as one unit calls it, to a `RequestPlan`."""

from __future__ import annotations

from dataclasses import replace

from naftiko.compile import request_checks as checks
from naftiko.compile.binary import size
from naftiko.compile.bodies import BodyCompiler
from naftiko.compile.broken import Broken
from naftiko.compile.declared import Declared, blamed, is_private, merged, of_input, reads
from naftiko.compile.kinds import UnitKinds
from naftiko.compile.outputs import named_outputs, schema_plan
from naftiko.compile.scope import UnitScope
from naftiko.compile.secrets import secrets as secrets_of
from naftiko.compile.upstreams import Base, Consumed
from naftiko.diagnostics import Path, Severity
from naftiko.plan import BinaryPlan, ParameterPlan, RequestPlan
from naftiko.spec.models.consumes import RAW_FORMATS
from naftiko.values.coerce import Mismatch, coerce
from naftiko.values.expressions import Environment, Expression, FirstOf, Input, Literal, Variable, leaves
from naftiko.values.names import fold
from naftiko.values.uris import Hole, below, encode_path, encode_query, pieces, split_query


class RequestCompiler:
    """Compiles one call. Inputs it needs are added to the unit's table as it goes."""

    def __init__(self, consumed: Consumed, base: Base, scope: UnitScope, kinds: UnitKinds) -> None:
        self.kinds = kinds
        self.consumed = consumed
        self.base = base
        self.scope = scope
        self.report = scope.report
        self.declared = merged(consumed)
        self._filled: set[str] = set()
        self._own: dict[tuple[str, str], Expression] = {}
        placed = self.placed("path")
        self._path_inputs = {item.name: item for item in reversed(placed)}
        self._path_folded = {fold(item.name): item for item in reversed(placed)}

    def compile(self) -> RequestPlan:
        """The plan of the request.

        Raises:
            Broken: it cannot be carried out as declared.
        """
        fault = self.consumed.fault or self.base.fault
        if fault is not None:
            raise Broken(fault)
        raw_format = self.consumed.operation.outputRawFormat
        self._check_format(raw_format)
        self._own_values()
        path, query_pieces = self._uri()
        self._check_path_inputs()
        headers = [
            self.parameter(item) for item in self.placed("header") if not checks.is_of_the_connection(self, item)
        ]
        body = BodyCompiler(self).compile(self.placed("body"))
        checks.check_body_key(self, body)
        plan = RequestPlan(
            upstream=self.consumed.upstream,
            operation=self.consumed.name,
            method=self.consumed.operation.method,
            base_path=self._base_path(),
            path=path,
            query_pieces=query_pieces or self._base_query(),
            query=tuple(self.parameter(item) for item in self.placed("query")),
            headers=tuple(headers),
            cookies=tuple(self.parameter(item) for item in self.placed("cookie")),
            body=body,
            raw_format=raw_format,
            schema=schema_plan(self.consumed, self.scope, self.kinds.formats),
            binary=self._binary(),
            outputs=named_outputs(self.consumed, self.scope, selects=self.kinds.formats[raw_format].selects),
            tool=self.consumed.tool,
        )
        plan = replace(plan, secrets=secrets_of(plan))
        checks.check_names(self)
        checks.auth_inputs(self)
        checks.check_with(self)
        return plan

    def placed(self, place: str) -> list[Declared]:
        return [item for item in self.declared if item.parameter.in_ == place]

    def _own_values(self) -> None:
        """The inputs that have a value of their own, or one of the environment; templates may name them."""
        for item in self.declared:
            parameter, where = item.parameter, (*item.path, "value")
            if parameter.in_ == "environment":
                self.scope.own[item.name] = self._environment(item)
            elif parameter.value is not None:
                value = self.scope.value(parameter.value, where)
                self._check_literal(value, item, where)
                self._own[parameter.in_, item.name] = value
                self.scope.own.setdefault(item.name, value)

    def _check_format(self, name: str) -> None:
        """Raises Broken where no answer in this format can be read."""
        where = (*self.consumed.path, "outputRawFormat")
        if name in self.kinds.formats:
            if self.kinds.formats[name].must_have_schema and not self.consumed.operation.outputSchema:
                message = f"answers in `{name}` cannot be read without an `outputSchema`"
                raise Broken(self.report.add("missing-key", message, where, help="add `outputSchema:`, a file"))
            extra = self.kinds.formats[name].missing
            if extra is None:
                return
            message = f"answers in `{name}` are read by a library that is not installed"
            help = f"install it: `pip install 'naftiko[{extra}]'`"
            raise Broken(self.report.add("not-supported", message, where, help=help, severity=Severity.ERROR))
        if name in RAW_FORMATS:
            message = f"answers in `{name}` are not supported yet"
            raise Broken(self.report.add("not-supported", message, where, severity=Severity.ERROR))
        valid = ", ".join(f"`{known}`" for known in dict.fromkeys((*RAW_FORMATS, *self.kinds.formats)))
        message = f"`{name}` is not a valid `outputRawFormat`"
        raise Broken(self.report.add("invalid-value", message, where, help=f"valid: {valid}"))

    def _binary(self) -> BinaryPlan | None:
        operation = self.consumed.operation
        if operation.maxBinarySize is None and operation.outputMediaType is None:
            return None
        where = (*self.consumed.path, "maxBinarySize")
        return BinaryPlan(operation.outputMediaType, size(operation.maxBinarySize, where, self.report))

    def _environment(self, item: Declared) -> Expression:
        """An input `in: environment` names a variable of the process environment."""
        if item.parameter.required:
            where = (*item.path, "name")
            return self.scope.variables.find(item.name, where) or self.scope.variables.environment(item.name, where)
        return Environment(item.name)

    # The URL

    def _uri(self) -> tuple[tuple[str | ParameterPlan, ...], tuple[str | ParameterPlan, ...]]:
        operation_path = self.consumed.path
        where = (*operation_path, "path") if self.consumed.operation.path else (*operation_path[:-2], "path")
        uri = below("", self.consumed.uri) if not self.consumed.uri.startswith("?") else self.consumed.uri
        path, query = split_query(pieces(uri))
        return (
            tuple(encode_path(item) if isinstance(item, str) else self._hole(item, where, "path") for item in path),
            tuple(encode_query(item) if isinstance(item, str) else self._hole(item, where, "query") for item in query),
        )

    def _base_path(self) -> tuple[str | ParameterPlan, ...]:
        where = self.base.where
        items: list[str | ParameterPlan] = []
        for item in self.base.path:
            if isinstance(item, str):
                items.append(encode_path(item))
            else:
                items.append(self._hole(item, where, "path"))
        if items and isinstance(items[-1], str) and self.consumed.uri and not self.consumed.uri.startswith("?"):
            items[-1] = items[-1].rstrip("/")
        return tuple(items)

    def _base_query(self) -> tuple[str | ParameterPlan, ...]:
        """The query of an MCP server's endpoint."""
        where = self.base.where
        return tuple(
            encode_query(item) if isinstance(item, str) else self._hole(item, where, "query")
            for item in self.base.query
        )

    def _hole(self, hole: Hole, where: Path, place: str) -> ParameterPlan:
        """A placeholder: always required, whether or not it is declared as an input."""
        if hole.style == "dollar":
            return ParameterPlan(hole.name, self.scope.variables.operator(hole.name, where), None, True, None, True)
        key = self._path_key(hole.name)
        if key is not None:
            return ParameterPlan(hole.name, key, None, True, blamed(key), True)
        declared = self._path_inputs.get(hole.name) or self._path_folded.get(fold(hole.name))
        name = declared.name if declared is not None else hole.name
        self._filled.add(name)
        expression = self._value(name, declared, where, place, hole)
        type_ = declared.parameter.type if declared is not None else None
        first = expression.options[0] if isinstance(expression, FirstOf) else expression
        if type_ is None and isinstance(first, Input) and not first.path:
            draft = self.scope.inputs.known(first.name)
            if draft is not None and draft.type is None:
                draft.type = type_ = "string"
        self._require(expression)
        return ParameterPlan(hole.name, expression, type_, True, blamed(expression), is_private(expression))

    def _path_key(self, name: str) -> Expression | None:
        """The key of an API that wants it in its paths (`placement: path`)."""
        auth = self.base.auth
        if auth is None or auth.options.get("placement") != "path":
            return None
        folded = {fold(known): value for known, value in auth.settings.items()}
        return auth.settings.get(name) or folded.get(fold(name))

    def _check_path_inputs(self) -> None:
        for item in self.placed("path"):
            if item.name not in self._filled:
                message = (
                    f"the input `{item.name}` goes into the path `{self.consumed.uri}`, which has no `{{{item.name}}}`"
                )
                raise Broken(
                    self.report.add(
                        "path-input-without-placeholder",
                        message,
                        (*item.path, "name"),
                        help=f"add `{{{item.name}}}` to the path, or send it elsewhere with `in:`",
                    )
                )

    # Values

    def parameter(self, item: Declared) -> ParameterPlan:
        """A declared consumed input as a part of the request."""
        expression = self._value(item.name, item, item.path, item.parameter.in_, None)
        required = bool(item.parameter.required)
        if required:
            self._require(expression)
        type_ = item.parameter.type
        if isinstance(expression, Input) and not expression.path:
            return of_input(item.name, expression.name, type_, required=required)
        return ParameterPlan(item.name, expression, type_, required, blamed(expression), is_private(expression))

    def _value(self, name: str, item: Declared | None, where: Path, place: str, hole: Hole | None) -> Expression:
        """`with`, else the input's own `value`, else the caller's input of its name (semantics, section 4)."""
        label = f"{place} {hole.name if hole else name}"
        explicit = self.scope.given(name)
        own = self._own.get((item.parameter.in_, name)) if item is not None else None
        if explicit is not None:
            self._feed(explicit, item, label, place)
            if isinstance(explicit, Literal | Variable):
                if item is not None:
                    self._check_literal(explicit, item, self.scope.with_paths.get(name, item.path))
                return explicit
            if own is not None:
                return FirstOf((explicit, own))
            return self._or_by_name(explicit, name, label)
        if own is not None:
            self._feed(own, item, label, place if place in ("query", "body") else "")
            return own
        if hole is not None and item is None:
            expression = self.scope.template(hole.name, where)
            self._feed(expression, None, label, place)
            return expression
        draft = self.scope.inputs.consumed(name)
        if name == "body" and place == "body" and self.consumed.tool is None:
            self.scope.whole_body()
        elif place in ("query", "header", "cookie", "body"):
            draft.derived_places.append((place, name))
        expression = Input(draft.name)
        self._feed(expression, item, label, place)
        return expression

    def _or_by_name(self, explicit: Expression, name: str, label: str) -> Expression:
        """What `with` sets; where that has no value, the caller's input of the parameter's name."""
        known = self.scope.inputs.known(name)
        if known is None:
            known = self.scope.inputs.consumed(name)
            known.is_hidden = True
        if reads(explicit, known.name):
            return explicit
        known.goes_to.append(label)
        return FirstOf((explicit, Input(known.name)))

    def _feed(self, expression: Expression, item: Declared | None, label: str, place: str) -> None:
        """Tell the inputs in an expression where they go, and what the parameter they fill says of itself."""
        whole = expression.options[0] if isinstance(expression, FirstOf) else expression
        for leaf in leaves(expression):
            if not isinstance(leaf, Input):
                continue
            draft = self.scope.inputs.known(leaf.name)
            if draft is None:
                continue
            draft.goes_to.append(label)
            if item is not None and leaf == whole and not leaf.path:
                draft.complete(item.parameter)
                if item.parameter.default is not None and not draft.is_declared:
                    draft.default, draft.has_default = item.parameter.default, True
            if place in ("query", "header", "cookie", "body") and not leaf.path and leaf.name != "body":
                draft.derived_places.append((place, draft.name))

    def _require(self, expression: Expression) -> None:
        """The inputs that an expression cannot do without are required."""
        if isinstance(expression, FirstOf):
            if all(isinstance(option, Input | Environment) for option in expression.options[1:]):
                self._require(expression.options[0])
            return
        for leaf in leaves(expression):
            if isinstance(leaf, Input):
                draft = self.scope.inputs.known(leaf.name)
                if draft is not None and draft.required is None:
                    draft.required = True

    def _check_literal(self, expression: Expression, item: Declared, path: Path) -> None:
        if isinstance(expression, Literal) and item.parameter.type is not None:
            try:
                coerce(expression.value, item.parameter.type)
            except Mismatch as mismatch:
                message = f"the value of `{item.name}` does not fit: {mismatch}"
                raise Broken(self.report.add("invalid-literal", message, path)) from mismatch
