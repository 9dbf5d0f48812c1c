"""Resources of MCP adapters: what is called for them, or the files that they are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.broken import Broken
from naftiko.diagnostics import Path
from naftiko.document.locations import local_file
from naftiko.document.nodes import locate
from naftiko.document.report import Report
from naftiko.plan import FilesPlan, FunctionPlan, OutputPlan, ResourcePlan
from naftiko.spec.models.exposes import ExposesMcp, Icon, McpResource, ResourceUi
from naftiko.values.uritemplate import read

_LARGEST = 10 * 1024 * 1024
"""The bytes of a file that is served, where the adapter does not say otherwise."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def compile_resources(context: AdapterContext, namespace: str, largest: int | None) -> tuple[ResourcePlan, ...]:
    """The plans of an adapter's resources."""
    adapter = cast("ExposesMcp", context.adapter)
    found: dict[str, ResourcePlan] = {}
    for position, resource in enumerate(adapter.resources or ()):
        where = (*context.path, "resources", position)
        if resource.uri in found:
            message = f"a resource at `{resource.uri}` stands before this one"
            context.report.add("duplicate-resource", message, (*where, "uri"))
            continue
        found[resource.uri] = _resource(resource, where, context, namespace, largest)
    return tuple(found.values())


def _resource(
    resource: McpResource, path: Path, context: AdapterContext, namespace: str, largest: int | None
) -> ResourcePlan:
    units, report = context.units, context.report
    name = resource.name or (resource.ref or "").rpartition(".")[2] or resource.uri
    files: FilesPlan | None = None
    try:
        holes = _placeholders(resource.uri, (*path, "uri"), report)
        if resource.location is not None:
            function = nothing(name)
            files = _files(resource, path, context, holes, largest)
        else:
            function = units.compile(
                resource, path, namespace, name=name, ref=resource.ref, route=holes, largest=largest
            )
            _check_inputs(function, holes, path, report)
    except Broken as error:
        function = nothing(name, error.reason)
    source = units.functions.get(resource.ref or "")
    return ResourcePlan(
        name=name,
        title=resource.label or (source.function.label if source else None),
        description=resource.description or (source.function.description if source else None),
        function=function,
        uri=resource.uri,
        mime_type=resource.mimeType,
        is_binary=bool(resource.binary),
        files=files,
        icons=icons(resource.icons),
        scopes=context.scopes(resource.scopes, path),
        meta=_shown(resource.ui),
        span=locate(report.root, (*path, "uri")),
    )


def nothing(name: str, broken: str | None = None) -> FunctionPlan:
    """The function of what calls nothing."""
    return FunctionPlan(name, (), None, OutputPlan(), broken=broken)


def icons(given: Sequence[Icon] | None) -> tuple[Mapping[str, object], ...]:
    """Pictures as clients see them."""
    return tuple(icon.model_dump(exclude_none=True) for icon in given or ())


def _placeholders(uri: str, path: Path, report: Report) -> tuple[str, ...]:
    """The names in a URI template (RFC 6570, level 1).

    Raises:
        Broken: it is no URI, or a template of a higher level.
    """
    try:
        names = read(uri).names
    except ValueError as error:
        raise Broken(report.add("invalid-uri", f"`{uri}`: {error}", path)) from error
    if _SCHEME.match(uri) is None:
        help = f"write `data://{uri.lstrip('/')}`, for example"
        raise Broken(report.add("invalid-uri", f"`{uri}` has no scheme", path, help=help))
    return names


def _files(
    resource: McpResource, path: Path, context: AdapterContext, holes: tuple[str, ...], largest: int | None
) -> FilesPlan:
    """The files that a resource is.

    Raises:
        Broken: there are none.
    """
    report, location = context.report, resource.location or ""
    if holes:
        message = f"`{resource.uri}` has placeholders, and `location` serves a folder's files below a plain URI"
        raise Broken(report.add("invalid-uri", message, (*path, "uri"), help="leave the placeholders out"))
    for key in ("call", "steps", "ref"):
        if getattr(resource, key) is not None:
            report.add("without-effect", f"`{key}` has no effect beside `location`", (*path, key), key=True)
    found = local_file(location, FilePath(context.units.variables.directory))
    if found is None or not (os.path.isdir(found) or os.path.isfile(found)):
        help = "a path is relative to the capability file; `file:///` begins an absolute one"
        message = f"`{location}` is no file or folder"
        raise Broken(report.add("file-missing", message, (*path, "location"), help=help))
    return FilesPlan(location=str(found), largest=largest or _LARGEST)


def _check_inputs(function: FunctionPlan, holes: tuple[str, ...], path: Path, report: Report) -> None:
    """That whoever reads a resource can give all that its function needs: nothing but its URI says anything.

    Raises:
        Broken: they cannot.
    """
    needed = [plan.name for plan in function.inputs if plan.required and plan.name not in holes]
    if needed and function.broken is None:
        names = ", ".join(f"`{name}`" for name in needed)
        message = f"the resource needs {names}, which its URI has no place for"
        help = f"add `{{{needed[0]}}}` to the URI, or give it a value under `with:`"
        raise Broken(report.add("resource-needs-input", message, (*path, "uri"), help=help))


def _shown(ui: ResourceUi | None) -> Mapping[str, object] | None:
    """How a page is shown, as clients see it (MCP Apps)."""
    if ui is None:
        return None
    shown = ui.model_dump(exclude_none=True, exclude={"permissions"})
    if ui.permissions is not None:
        shown["permissions"] = {name: {} for name, is_given in ui.permissions.items() if is_given}
    return {"ui": shown}
