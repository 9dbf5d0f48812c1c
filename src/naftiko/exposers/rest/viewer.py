"""A viewer of the OpenAPI document, for browsers: Swagger UI from a package, with nothing from elsewhere."""

from __future__ import annotations

import html
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.responses import Response

from naftiko.exposers.pages import Link, page
from naftiko.exposers.rest.table import Table

PATH = "/docs"
_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_START = """
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: new URL("openapi.json", location.href).href, dom_id: "#ui", deepLinking: true, validatorUrl: null,
    tryItOutEnabled: true,
  });
});
"""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@cache
def _folder() -> Path | None:
    """Where the package is that has the viewer; None where it is not installed."""
    spec = find_spec("swagger_ui")
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) / "static" if places else None


@cache
def _file(name: str) -> bytes | None:
    folder = _folder()
    try:
        return (folder / name).read_bytes() if folder is not None else None
    except OSError:
        return None


def viewer(table: Table, path: str) -> Response | None:
    """What is at `/docs` and below, of a port or of an adapter; None at other paths.

    It tells nothing of what is served but its title.
    """
    below, _, rest = path[1:].partition("/")
    owner = table.owners.get(below) if f"/{rest}".startswith(PATH) else None
    inside = f"/{rest}" if owner is not None else path
    if inside != PATH and not inside.startswith(f"{PATH}/"):
        return None
    adapters = [owner] if owner is not None else table.adapters
    only = adapters[0] if len(adapters) == 1 else None
    if inside == PATH:
        return _page((only.title or only.plan.title) if only is not None else "Naftiko")
    name = inside.removeprefix(f"{PATH}/")
    if name == "start.js":
        return Response(_START, headers=_HEADERS, media_type="text/javascript")
    data = _file(name) if name in _FILES else None
    if data is None:
        return None
    return Response(data, headers={**_HEADERS, "Cache-Control": "max-age=86400"}, media_type=_FILES[name])


def _page(title: str) -> Response:
    if _file("swagger-ui-bundle.js") is None:
        what = "The viewer is not installed: pip install 'naftiko[viewer]' brings it."
        return page(title, [what], [Link("openapi.json", "The OpenAPI document")])
    shown = html.escape(title)
    return Response(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{shown}</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>'
        '<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script>'
        '<script src="docs/start.js"></script></body></html>\n',
        headers=_HEADERS,
        media_type="text/html",
    )
