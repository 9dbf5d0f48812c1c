"""What a search costs and finds on an endpoint of many tools (`--tools search`).

    python benchmarks/finding.py [FOLDER]

Prints, for the published files in `../shared/corpus/tagged` or another folder: bytes and tokens of `tools/list` with
all tools and with those that search, of an answer of `search-tools`, and the share of sixty questions in plain words
whose tool is among the first five. A token is taken as four bytes, which is what English and JSON come to.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import naftiko
from naftiko.exposers.adapter import ExposedAdapter, McpAdapter
from naftiko.exposers.mcp.finders import listed, searched
from naftiko.exposers.mcp.offering import EVERYTHING, Offer
from naftiko.exposers.mcp.table import Table, made
from naftiko.values.jsontext import encode

QUESTIONS = (
    ("how much of each person's capacity is planned for a project", "Asana Get multiple allocations"),
    ("look up one resource allocation", "Asana Get an allocation"),
    ("who did what in our organisation, security audit trail", "Asana Get audit log events"),
    ("throw away a custom field", "Asana Delete a custom field"),
    ("make a new label tag", "Asana Create a tag"),
    ("how do goals relate to each other, list relationships", "Asana Get goal relationships"),
    ("read the details of a goal", "Asana Get a goal"),
    ("set the current number of a goal's metric", "Asana Update a goal metric"),
    ("start exporting all data of the organization", "Asana Create an organization export request"),
    ("show me a portfolio", "Asana Get a portfolio"),
    ("take a custom field off a portfolio", "Asana Remove a custom field from a portfolio"),
    ("how is someone a member of a project", "Asana Get a project membership"),
    ("fetch a template for projects", "Asana Get a project template"),
    ("rename a project", "Asana Update a project"),
    ("stop people following a project", "Asana Remove followers from a project"),
    ("which projects are there in this workspace", "Asana Get all projects in a workspace"),
    ("change the title of a section", "Asana Update a section"),
    ("read one comment story", "Asana Get a story"),
    ("discard a template of tasks", "Asana Delete a task template"),
    ("open a task by its id", "Asana Get a task"),
    ("put a tag on a task", "Asana Add a tag to a task"),
    ("take a task out of a project", "Asana Remove a project from a task"),
    ("find tasks in a workspace by text", "Asana Search tasks in a workspace"),
    ("edit a team's name", "Asana Update a team"),
    ("hours logged on a task", "Asana Get time tracking entries for a task"),
    ("my own task list, of a user", "Asana Get a user's task list"),
    ("subscribe to changes with a webhook", "Asana Establish a webhook"),
    ("which workspaces can I see", "Asana Get multiple workspaces"),
    ("download an attachment", "Asana Get an attachment"),
    ("all custom fields that a workspace has", "Asana Get a workspace's custom fields"),
    ("change how a goal relates to another", "Asana Update a goal relationship"),
    ("erase a goal", "Asana Delete a goal"),
    ("one membership record", "Asana Get a membership"),
    ("start a new project in a workspace", "Asana Create a project in a workspace"),
    ("drop a section", "Asana Delete a section"),
    ("fetch a task template", "Asana Get a task template"),
    ("mark a task as done, change its fields", "Asana Update a task"),
    ("people who are in a team", "Asana Get users in a team"),
    ("details of a webhook", "Asana Get a webhook"),
    ("kick a user out of a workspace", "Asana Remove a user from a workspace"),
    ("write a comment in notion", "Notion Create a comment"),
    ("change the properties of a page", "Notion Update page properties"),
    ("set up a new destination for segment data", "Create destination"),
    ("get rid of a data source", "Delete source"),
    ("tell who the user is, identify call", "Identify a user"),
    ("track a page view by a pixel image", "Page via pixel"),
    ("metadata of a user's profile", "Get user metadata"),
    ("which destinations do we send to", "List destinations"),
    ("look at the code of a function", "Get function"),
    ("ask for a user's data to be suppressed, new regulation", "Create regulation"),
    ("new tracking plan", "Create tracking plan"),
    ("change a transformation", "Update transformation"),
    ("information about our workspace", "Get workspace"),
    ("show a page in notion", "Notion Retrieve a page"),
    ("copy a task", "Asana Duplicate a task"),
    ("copy a project", "Asana Duplicate a project"),
    ("add followers to a task", "Asana Add followers to a task"),
    ("subtasks of a task", "Asana Get subtasks from a task"),
    ("send many events at once in a batch", "Send a batch of events"),
    ("tasks that this one depends on", "Asana Get dependencies from a task"),
)


def table_of(folder: Path, offer: Offer) -> tuple[Table, frozenset[int]]:
    """What an endpoint of all files of a folder serves, and its adapters."""
    adapters: list[McpAdapter] = []
    for file in sorted(folder.rglob("*.yaml")):
        capability = naftiko.load(file)
        if capability.plan is not None:
            tags = capability.plan.tags
            adapters += [ExposedAdapter(plan, None, file=str(file), tags=tags) for plan in capability.plan.mcp]  # type: ignore[arg-type]
    return made(adapters, is_joint=True, offer=offer), frozenset(map(id, adapters))


def main() -> None:
    """Print what is measured."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "corpus" / "tagged"
    table, among = table_of(folder, Offer("search"))
    offering = table.offering(EVERYTHING)
    every = [served.listed for served in table.all()]
    few = listed(offering, among)
    sizes = [
        len(encode([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]))
        for tools in (every, few)
    ]
    print(f"tools/list: {len(every)} tools {sizes[0]:,} bytes, some {sizes[0] // 4:,} tokens")
    print(f"tools/list: {len(few)} tools {sizes[1]:,} bytes, some {sizes[1] // 4:,} tokens")
    began = time.perf_counter()
    table.find("x")
    print(f"index: made in {(time.perf_counter() - began) * 1000:.0f} ms")
    about = {name: (tool.description or "") for name, (_, tool) in table.pairs.items()}
    asked = [(question, wanted) for question, wanted in QUESTIONS if wanted in about.values()]
    hits, sizes, began = 0, [], time.perf_counter()
    for question, wanted in asked:
        answer = searched(table, offering, among, {"query": question})
        sizes.append(len(answer))
        is_found = any(about.get(line.partition("(")[0]) == wanted for line in answer.splitlines())
        hits += is_found
        if not is_found:
            print(f"  not among the first five: {question!r}, {wanted!r}")
    spent = (time.perf_counter() - began) / max(len(asked), 1) * 1000
    mean = sum(sizes) // max(len(sizes), 1)
    print(f"search-tools: {mean:,} bytes an answer, some {mean // 4} tokens, {spent:.1f} ms each")
    print(f"questions whose tool is among the first five: {hits} of {len(asked)}")


if __name__ == "__main__":
    main()
