"""What a port says of itself: its OpenAPI documents, and the page at `/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from naftiko.__about__ import __version__
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.pages import Link, as_json, page, wants_html
from naftiko.exposers.rest.openapi import described
from naftiko.exposers.rest.table import Table
from naftiko.values.jsontext import encode

OPENAPI_PATH = "/openapi.json"


def document(table: Table, path: str, adapters: Sequence[RestAdapter], *, is_below: bool) -> bytes:
    """The OpenAPI document at a path, for those adapters that a caller may use; made once where anybody may."""
    is_open = not any(adapter.gate is not None for adapter in adapters) and (is_below or adapters == [*table.adapters])
    key = (path, *(adapter.version.held_back or "" for adapter in adapters))
    known = table.documents.get(key) if is_open else None
    if known is None:
        known = encode(described(adapters, is_below=is_below))
        if is_open:
            table.documents[key] = known
    return known


def front(adapters: Sequence[RestAdapter], headers: Mapping[str, str]) -> Response:
    """What is at `/`: what this port serves, and where that is described."""
    routes = sum(len(adapter.plan.units) for adapter in adapters)
    title = adapters[0].title if len(adapters) == 1 and adapters[0].title else "Naftiko"
    if wants_html(headers):
        plural = ["" if number == 1 else "s" for number in (len(adapters), routes)]
        what = f"{len(adapters)} REST adapter{plural[0]} with {routes} route{plural[1]}"
        links = [Link("/docs", "Try it"), Link(OPENAPI_PATH, "OpenAPI document of everything here")]
        links += [
            Link(f"/{adapter.plan.namespace}{OPENAPI_PATH}", f"{adapter.title or adapter.plan.title}: its own document")
            for adapter in adapters[:100]
        ]
        return page(title, [f"This is a REST API, served by Naftiko {__version__}: {what}."], links)
    return as_json(
        {
            "title": title,
            "server": f"naftiko {__version__}",
            "openapi": OPENAPI_PATH,
            "adapters": [
                {
                    "namespace": adapter.plan.namespace,
                    "title": adapter.title or adapter.plan.title,
                    "base": f"/{adapter.plan.namespace}",
                    "openapi": f"/{adapter.plan.namespace}{OPENAPI_PATH}",
                }
                for adapter in adapters
            ],
        }
    )
