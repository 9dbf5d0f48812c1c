"""The tools that find other tools: what they are told to be, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mcp_types import Tool, ToolAnnotations

from naftiko.diagnostics.suggestions import nearest
from naftiko.exposers.mcp.offering import CALL, DESCRIBE, RUN, SEARCH, Offering
from naftiko.exposers.mcp.table import Served, Table
from naftiko.plan import InputPlan, ToolPlan
from naftiko.values.jsontext import encode_text

_BUDGET = 4_000
"""Characters of an answer of `search-tools`: some 1,000 tokens."""

_LARGE_BUDGET = 24_000
"""Characters of an answer of `describe-tools`: some 6,000 tokens."""

_SHORT = 200
_MOST_INPUTS = 12
_MOST_NAMESPACES = 40
_MOST = 20
_TEXT = {"type": "string"}


def listed(offering: Offering, among: Collection[int]) -> list[Tool]:
    """The finders of an offering, as clients see them."""
    names = {use: name for name, use in offering.finders.items()}
    return [_MAKERS[use](names, offering, among) for use in names]


def _search(names: Mapping[str, str], offering: Offering, among: Collection[int]) -> Tool:
    of = _namespaces(offering, among)
    description = (
        f"Finds tools that are not listed here, by words of what is to be done; answers with their names and inputs. "
        f"Then call them with `{names[CALL]}`. There are {of}."
    )
    schema = {
        "type": "object",
        "properties": {
            "query": {**_TEXT, "description": "What is to be done, such as: refund a payment"},
            "limit": {"type": "integer", "minimum": 1, "maximum": _MOST, "default": 5},
        },
        "required": ["query"],
    }
    return _tool(names[SEARCH], "Search tools", description, schema, is_safe=True)


def _describe(names: Mapping[str, str], offering: Offering, among: Collection[int]) -> Tool:
    description = f"The full definitions of tools that `{names[SEARCH]}` found: their inputs as JSON Schema, and more."
    schema = {
        "type": "object",
        "properties": {"names": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": _MOST}},
        "required": ["names"],
    }
    return _tool(names[DESCRIBE], "Describe tools", description, schema, is_safe=True)


def _call(names: Mapping[str, str], offering: Offering, among: Collection[int]) -> Tool:
    description = f"Calls a tool that `{names[SEARCH]}` found, and answers what that one answers."
    schema = {
        "type": "object",
        "properties": {
            "name": {**_TEXT, "description": "The tool's name"},
            "arguments": {"type": "object", "description": "Its inputs by their names"},
        },
        "required": ["name"],
    }
    return _tool(names[CALL], "Call a tool", description, schema, is_safe=False)


def _run(names: Mapping[str, str], offering: Offering, among: Collection[int]) -> Tool:
    description = (
        f"Runs Python in a sandbox (no files, no network, no third-party modules), in which every tool that "
        f"`{names[SEARCH]}` finds is a function: `crm_list_deals(stage='open')`, with `_` for what is no letter or "
        f"digit. A function returns the tool's JSON answer, and raises RuntimeError where the tool fails. "
        f"What the code prints, and its variable `result`, is the answer: reduce what you read to what you need."
    )
    schema = {"type": "object", "properties": {"code": {**_TEXT, "description": "Python"}}, "required": ["code"]}
    return _tool(names[RUN], "Run code", description, schema, is_safe=False)


_MAKERS: dict[str, Callable[[Mapping[str, str], Offering, Collection[int]], Tool]] = {
    SEARCH: _search,
    DESCRIBE: _describe,
    CALL: _call,
    RUN: _run,
}


def _tool(name: str, title: str, description: str, schema: dict[str, Any], *, is_safe: bool) -> Tool:
    hints = ToolAnnotations(title=title, read_only_hint=is_safe, open_world_hint=not is_safe)
    return Tool(name=name, title=title, description=description, input_schema=schema, annotations=hints)


def _namespaces(offering: Offering, among: Collection[int]) -> str:
    """How many tools there are, and whose."""
    counts = offering.namespaces(among)
    few = [f"{name} ({number})" for name, number in [*counts.items()][:_MOST_NAMESPACES]]
    more = f" and {len(counts) - len(few)} more" if len(counts) > len(few) else ""
    total = sum(counts.values())
    return f"{total} tool{'' if total == 1 else 's'}, of {', '.join(few)}{more}" if counts else "no tools"


def searched(table: Table, offering: Offering, among: Collection[int], arguments: Mapping[str, Any]) -> str:
    """The answer of `search-tools`, in lines.

    Raises:
        ValueError: the arguments are not valid, in words for the model.
    """
    query, limit = arguments.get("query"), arguments.get("limit", 5)
    if not isinstance(query, str):
        raise ValueError("`query` is a text: words of what is to be done")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= _MOST:
        raise ValueError(f"`limit` is a whole number from 1 to {_MOST}")
    found = [name for name in table.find(query) if offering.has(name) and id(table.pairs[name][0]) in among]
    if not found:
        return f"Nothing matches; try other words. There are {_namespaces(offering, among)}."
    alike: dict[str, list[str]] = {}
    for name in found:
        alike.setdefault(_line(table.pairs[name][1]), []).append(name)
        if len(alike) > limit:
            break
    lines: list[str] = []
    left = _BUDGET
    shown = 0
    for line, names in [*alike.items()][:limit]:
        text = names[0] + line + (f"\n  also as {', '.join(names[1:3])}" if len(names) > 1 else "")
        if lines and len(text) > left:
            break
        lines.append(text)
        shown += len(names)
        left -= len(text)
    return "\n".join([*lines, f"{shown} of {len(found)} that match."])


def _line(tool: ToolPlan) -> str:
    """A tool in a line or two, after its name: how it is called, and what it does."""
    inputs = [plan for plan in tool.function.inputs if not plan.is_hidden]
    given = ", ".join(_input(plan) for plan in inputs[:_MOST_INPUTS])
    more = ", ..." if len(inputs) > _MOST_INPUTS else ""
    about = " ".join((tool.description or tool.title or "").split())
    about = about if len(about) <= _SHORT else f"{about[: _SHORT - 3]}..."
    hints = [word for hint, word in (("readOnly", "read-only"), ("destructive", "destructive")) if tool.hints.get(hint)]
    marks = f" [{', '.join(hints)}]" if hints else ""
    return f"({given}{more}){marks}" + (f"\n  {about}" if about else "")


def _input(plan: InputPlan) -> str:
    """An input as it stands in such a line: `state?: open|closed`."""
    options = plan.schema.get("enum")
    kind = plan.schema.get("type")
    of = "|".join(str(option) for option in options[:6]) if isinstance(options, list | tuple) and options else kind
    return plan.name + ("" if plan.required else "?") + (f": {of}" if isinstance(of, str) and of != "string" else "")


def described(table: Table, offering: Offering, among: Collection[int], arguments: Mapping[str, Any]) -> str:
    """The answer of `describe-tools`: definitions as `tools/list` would have them.

    Raises:
        ValueError: the arguments are not valid, or a tool is not known.
    """
    names = arguments.get("names")
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("`names` is a list of tools' names")
    found: list[str] = []
    left = _LARGE_BUDGET
    unknown: list[str] = []
    for name in names[:_MOST]:
        try:
            tool = known(table, offering, among, name).listed
        except ValueError as error:
            if len(names) == 1:
                raise
            unknown.append(str(error))
            continue
        text = encode_text(tool.model_dump(mode="json", by_alias=True, exclude_none=True))
        if found and len(text) > left:
            break
        found.append(text)
        left -= len(text)
    rest = names[len(found) + len(unknown) :]
    more = [f"left out for their size: {', '.join(rest)}; ask for them by themselves"] if rest else []
    if not found and unknown:
        raise ValueError("; ".join(unknown))
    return "\n".join([*found, *unknown, *more])


def known(table: Table, offering: Offering, among: Collection[int], name: str) -> Served:
    """The tool of a name.

    Raises:
        ValueError: there is none that this caller may call, in words for a model.
    """
    served = table.get(name) if offering.has(name) else None
    if served is None or id(served.adapter) not in among:
        close = nearest(name[:100], _near(offering, among, name))
        search = next(name for name, use in offering.finders.items() if use == SEARCH)
        help = f"did you mean `{close}`?" if close is not None else f"`{search}` finds those there are"
        raise ValueError(f"there is no tool `{name[:100]}`; {help}")
    return served


def _near(offering: Offering, among: Collection[int], name: str) -> Sequence[str]:
    """The names that are looked through for near ones: comparing is not done with thousands."""
    start = name[:3].casefold()
    names = [other for other in offering.names(among) if other[:3].casefold() == start or other.endswith(name)]
    return names[:500]
