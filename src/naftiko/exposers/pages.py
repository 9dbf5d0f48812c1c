"""What somebody sees who opens a port in a browser: what this is, and how to use it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from naftiko.values.jsontext import encode

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
    "code,pre{background:#f2f2f2;padding:.1em .3em}pre{padding:1em;overflow:auto}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}code,pre{background:#222}a{color:#8cf}}"
)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: where to, and what is there."""

    href: str
    text: str


def wants_html(headers: Mapping[str, str]) -> bool:
    """Whether a request is a browser's, which asks for a page to show."""
    return "text/html" in headers.get("accept", "")


def page(title: str, paragraphs: Sequence[str], links: Sequence[Link] = (), code: str = "") -> Response:
    """A page in HTML. Everything in it is escaped: titles and names come from files."""
    parts = [f"<h1>{html.escape(title)}</h1>", *(f"<p>{html.escape(text)}</p>" for text in paragraphs)]
    if links:
        items = (f'<li><a href="{html.escape(link.href)}">{html.escape(link.text)}</a></li>' for link in links)
        parts.append(f"<ul>{''.join(items)}</ul>")
    if code:
        parts.append(f"<pre>{html.escape(code)}</pre>")
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return Response(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n',
        headers=_HEADERS,
        media_type="text/html",
    )


def as_json(value: Mapping[str, object]) -> Response:
    return Response(encode(value), media_type="application/json")
