"""What an exposed unit does, to a `FunctionPlan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from naftiko.compile.binary import binary_of
from naftiko.compile.broken import Broken
from naftiko.compile.declared import merged
from naftiko.compile.input_checks import check_inputs, check_pattern
from naftiko.compile.inputs import InputTable
from naftiko.compile.kinds import UnitKinds
from naftiko.compile.order import waits
from naftiko.compile.outputs import output_plan
from naftiko.compile.requests import RequestCompiler
from naftiko.compile.scope import UnitScope
from naftiko.compile.steps import StepCompiler, StepContext
from naftiko.compile.unit_parts import Body, Function, is_mock
from naftiko.compile.upstreams import Base, Catalogue, Consumed, holes
from naftiko.compile.variables import Variables
from naftiko.compile.walk import base, variables_in, walk
from naftiko.diagnostics import Fix, Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean, guess
from naftiko.document.nodes import fault_at
from naftiko.document.report import Report
from naftiko.plan import FunctionPlan, RequestPlan, StepPlan, StepsPlan
from naftiko.spec.models.control import Scripting
from naftiko.spec.models.operations import STEPS, Step, Unit
from naftiko.spec.models.parameters import ExposedInput
from naftiko.values.expressions import Expression
from naftiko.values.jsonpath import parse as parse_jsonpath
from naftiko.values.names import fold
from naftiko.values.uris import pieces


class UnitCompiler:
    """Compiles the exposed units of a capability."""

    def __init__(
        self,
        catalogue: Catalogue,
        functions: Mapping[str, Function],
        variables: Variables,
        report: Report,
        kinds: UnitKinds,
        scripting: Scripting | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.functions = functions
        self.variables = variables
        self.report = report
        self.kinds = kinds
        self.scripting = scripting or Scripting()
        self._lengths = sorted({len(name) for name in catalogue.namespaces}, reverse=True)

    def compile(
        self,
        unit: Unit,
        path: Path,
        namespace: str,
        *,
        name: str,
        ref: str | None = None,
        route: tuple[str, ...] = (),
        inherited: tuple[tuple[ExposedInput, Path], ...] = (),
        required_by_default: bool = False,
        largest: int | None = None,
    ) -> FunctionPlan:
        """The plan of a unit. What keeps it from being carried out ends up in `broken`.

        `route` are the placeholders of its REST path, `inherited` the inputs its resource declares;
        `required_by_default` is how an MCP tool's inputs are read, `largest` its adapter's bound for bytes.
        """
        inputs = InputTable()
        for placeholder in route:
            draft = inputs.declare(placeholder)
            draft.required = True
            draft.declared_places.append(("path", placeholder))
        scope = UnitScope(self.variables, self.report, inputs, frozenset({namespace}))
        scope.declares = bool(unit.inputParameters)
        declared = [*inherited, *_with_paths(unit.inputParameters, path)]
        body = Body()
        function: Function | None = None
        broken: str | None = None
        try:
            fault = fault_at(self.report.root, path)
            function = self._function(ref, path) if ref is not None else None
            if function is not None:
                fault = fault or fault_at(self.report.root, function.path)
                declared += _with_paths(function.function.inputParameters, function.path)
            for item, where in declared:
                self._declare(inputs, item, where, required_by_default, is_route=bool(route) or not required_by_default)
            if fault is not None:
                raise Broken(fault)
            body = self._through(unit, path, scope, function) if function is not None else self._own(unit, path, scope)
        except Broken as error:
            broken = error.reason
        leaves = list(walk(body.requests, body.output, body.steps))
        base_leaves = list(base(body.requests))
        if broken is None:
            fed = frozenset(unit.with_ or ()) if ref is not None else frozenset[str]()
            check_inputs(inputs, [*leaves, *base_leaves], declared, fed, self.report)
        return FunctionPlan(
            name=name,
            inputs=inputs.plans(),
            request=body.request,
            output=body.output,
            steps=body.steps,
            variables=variables_in(leaves),
            base_variables=variables_in(base_leaves),
            broken=broken,
            target=body.target,
            binary=binary_of(unit, function.function if function is not None else None, largest),
        )

    def _function(self, ref: str, path: Path) -> Function:
        function = self.functions.get(ref)
        if function is None:
            message = f"no aggregate defines the function `{ref}`"
            help = did_you_mean(ref, self.functions)
            raise Broken(self.report.add("unknown-function", message, (*path, "ref"), help=help))
        return function

    def _declare(self, inputs: InputTable, item: ExposedInput, path: Path, required: bool, is_route: bool) -> None:
        draft = inputs.known(item.name) if item.in_ == "path" else None
        draft = draft or inputs.declare(item.name)
        draft.complete(item)
        if item.pattern is not None:
            check_pattern(item, path, self.report)
        if draft.required is None:
            draft.required = item.required if item.required is not None else (True if required else None)
        default = item.value if item.value is not None else item.default
        if isinstance(item.value, str) and item.value.strip().startswith("$"):
            try:
                draft.path = parse_jsonpath(item.value)
            except ValueError as error:
                message = f"`{item.value}` is not a JSONPath: {error}"
                raise Broken(self.report.add("invalid-jsonpath", message, (*path, "value"))) from error
        elif default is not None:
            draft.default, draft.has_default = default, True
        if item.in_ == "path" and not draft.declared_places and is_route:
            message = f"the path has no `{{{item.name}}}`, so the input `{item.name}` is read from the query"
            help = f"add `{{{item.name}}}` to the path, or write `in: query`"
            self.report.add(
                "path-input-without-placeholder", message, (*path, "name"), severity=Severity.WARNING, help=help
            )
            draft.declared_places.append(("query", item.name))
        if item.in_ is not None and item.in_ != "path":
            place = "whole" if item.in_ == "body" and item.name == "body" else item.in_
            draft.declared_places.append((place, item.name))

    def _through(self, unit: Unit, path: Path, scope: UnitScope, function: Function) -> Body:
        """A unit that refers to an aggregate's function: its own `with` feeds the function's inputs."""
        explicit, paths = self._with(unit.with_, (*path, "with"), scope)
        namespaces = scope.namespaces | {function.aggregate.namespace or ""}
        inner = UnitScope(scope.variables, scope.report, scope.inputs, namespaces, explicit, paths)
        inner.declares = bool(function.function.inputParameters)
        body = self._own(function.function, function.path, inner)
        if unit.outputParameters:
            return replace(body, output=output_plan(unit.outputParameters, path, scope))
        return body

    def _own(self, unit: Unit, path: Path, scope: UnitScope) -> Body:
        if unit.steps:
            return self._steps(unit, unit.steps, path, scope)
        if unit.call is None:
            output = output_plan(unit.outputParameters, path, scope)
            mocks = [is_mock(item) for item in unit.outputParameters or ()]
            if any(mocks):
                for index in (index for index, is_one in enumerate(mocks) if not is_one):
                    message = "this output has no `value`, and there is no call that it could come from"
                    self.report.add("without-effect", message, (*path, "outputParameters", index), help="give it one")
                return Body(output=output)
            message = "there is nothing to do: no `call`, no `ref`, no `steps`, and no output with a `value`"
            raise Broken(
                self.report.add("nothing-to-do", message, path, key=True, help="add `call: namespace.operation`")
            )
        request = self._request(unit.call, unit.with_, path, scope)
        return Body(request=request, output=output_plan(unit.outputParameters, path, scope), target=request.operation)

    def _request(self, call: str, values: Mapping[str, object] | None, path: Path, scope: UnitScope) -> RequestPlan:
        """The request of a `call` with its `with`."""
        consumed = self._consumed(call, (*path, "call"))
        scope = replace(scope, expected=_expected(consumed, self.catalogue.bases[consumed.upstream]))
        explicit, paths = self._with(values, (*path, "with"), scope)
        base_of = self.catalogue.bases[consumed.upstream]
        return RequestCompiler(consumed, base_of, scope.calling(explicit, paths), self.kinds).compile()

    def _steps(self, unit: Unit, steps: Sequence[Step], path: Path, scope: UnitScope) -> Body:
        """Steps in order; each sees the outputs of those before it."""
        plans: dict[str, StepPlan] = {}
        scope = replace(scope, is_orchestrated=True)
        for index, step in enumerate(steps):
            where = (*path, "steps", index)
            if step.name in plans:
                message = f"a step named `{step.name}` stands before this one"
                raise Broken(self.report.add("duplicate-step", message, (*where, "name")))
            context = StepContext(step, where, scope, plans, self.scripting, self._request)
            plans[step.name] = self._kind(context).compile(context)
            scope = scope.after(step.name)
        mappings = tuple(
            (tuple(mapping.targetName.split(".")), scope.value(mapping.value, (*path, "mappings", index, "value")))
            for index, mapping in enumerate(unit.mappings or ())
        )
        output = output_plan(unit.outputParameters, path, scope)
        done = tuple(plans.values())
        return Body(steps=StepsPlan(done, mappings, waits(done)), output=output)

    def _kind(self, context: StepContext) -> StepCompiler:
        """What compiles a step."""
        kinds, name = self.kinds.steps, context.step.type
        if name in kinds:
            return kinds[name]
        if name in STEPS:
            raise context.broken("not-supported", f"`{name}` steps are not supported yet", "type")
        valid = ", ".join(f"`{known}`" for known in dict.fromkeys((*STEPS, *kinds)))
        raise context.broken(
            "unknown-type", f"`{name}` is not a known type of this `step`", "type", help=f"valid: {valid}"
        )

    def _with(
        self, values: Mapping[str, object] | None, path: Path, scope: UnitScope
    ) -> tuple[dict[str, Expression], dict[str, Path]]:
        """The values of `with`, by name. Plain references come first, so that `x.y` finds the object `x`."""
        named = values or {}
        ordered = sorted(named, key=lambda name: str(named[name]).count("."))
        compiled = {name: scope.value(named[name], (*path, name)) for name in ordered}
        return {name: compiled[name] for name in named}, {name: (*path, name) for name in named}

    def _consumed(self, call: str, path: Path) -> Consumed:
        """The operation a call means: the longest namespace that fits, then the operation."""
        namespaces = self.catalogue.namespaces
        namespace = next(
            (
                call[:length]
                for length in self._lengths
                if call[length : length + 1] == "." and call[:length] in namespaces
            ),
            None,
        )
        if namespace is None:
            found = self._by_path(call, path)
            if found is not None:
                return found
            namespace, dot, _ = call.rpartition(".")
            if not dot:
                message = f"`{call}` is not `namespace.operation`"
                raise Broken(self.report.add("malformed-call", message, path))
            message = f"nothing defines the namespace `{namespace}`"
            help, fix = did_you_mean(namespace, namespaces), guess(namespace, namespaces)
            raise Broken(self.report.add("unknown-namespace", message, path, help=help, fix=fix))
        operations = namespaces[namespace]
        name = call[len(namespace) + 1 :]
        consumed = operations.get(name) or operations.get(name.rpartition(".")[2])
        if consumed is None:
            message = f"`{namespace}` has no operation `{name}`"
            help, fix = did_you_mean(name, operations), guess(name, operations)
            raise Broken(self.report.add("unknown-operation", message, path, help=help, fix=fix))
        return consumed

    def _by_path(self, call: str, path: Path) -> Consumed | None:
        """`namespace/resource/operation`, as some published files write it."""
        namespace, slash, rest = call.partition("/")
        table = self.catalogue.namespaces.get(namespace) if slash else None
        found = table.get(rest.rpartition("/")[2]) if table is not None else None
        if found is not None:
            message = f"`{call}` is read as `{found.name}`"
            self.report.add("call-spelling", message, path, help=f"write `call: {found.name}`", fix=Fix(found.name))
        return found


def _expected(consumed: Consumed, base_of: Base) -> frozenset[str]:
    """The folded names of what a consumed operation takes: its parameters, and the placeholders of its path."""
    items = holes([*base_of.path, *pieces(consumed.uri)])
    return frozenset(fold(name) for name in (*(item.name for item in merged(consumed)), *(hole.name for hole in items)))


def _with_paths(parameters: tuple[ExposedInput, ...] | None, path: Path) -> list[tuple[ExposedInput, Path]]:
    return [(item, (*path, "inputParameters", index)) for index, item in enumerate(parameters or ())]
