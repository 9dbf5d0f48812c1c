"""CSS selectors over HTML answers: what they mean, that a page cannot make them slow, and how a file uses them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

import naftiko
from naftiko.formats.base import unbounded
from naftiko.formats.selectors import read, select
from support import Stage, answering, on_stage, write

PAGE = """<html><head><title>Shop</title></head><body>
<ul id=list class="a b"><li class=x>One <b>1</b></li>
<li class=y><a href="/two" title='T "q"'>Two</a></li><li>Three</li></ul>
<div class=price>12.50</div><p>after</p><p lang=de>danach</p></body></html>"""


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("li", ["One 1", "Two", "Three"]),
        ("ul.a.b > li", ["One 1", "Two", "Three"]),
        ("#list li b", ["1"]),
        ("body b, .price", ["1", "12.50"]),
        (".x + li", ["Two"]),
        (".x ~ li", ["Two", "Three"]),
        ("div ~ p[lang=de]", ["danach"]),
        ("li:not(.x)", ["Two", "Three"]),
        ("ul li:first-child", ["One 1"]),
        ("[title='T \"q\"'], none > none", ["Two"]),
        ("a[href='/two']", ["Two"]),
        ("body>ul>li>a", ["Two"]),
        ("table td", []),
    ],
)
def test_what_selectors_mean(selector: str, expected: list[str]) -> None:
    found = select(LexborHTMLParser(PAGE), read(selector), unbounded)
    assert [" ".join(node.text().split()) for node in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ">",
        "a >",
        "> a",
        "a > > b",
        "a,",
        ",a",
        "[",
        "a[b",
        "a(",
        "::::",
        "a:has(b)",
        "li:nth-child(2)",
        "a:not(b c)",
    ],
)
def test_what_is_no_selector_here(text: str) -> None:
    with pytest.raises(ValueError, match=r"selector|not looked for"):
        read(text)


TAGS = st.sampled_from(["div", "p", "span", "i"])
PARTS = st.sampled_from(["div", "p", "span", "i", ".c", "#d", "*", "div.c", ":not(p)"])
TREES = st.recursive(
    st.builds(
        lambda tag, mark: f"<{tag}{mark}></{tag}>", st.sampled_from(["span", "i"]), st.sampled_from(["", " class=c"])
    ),
    lambda inner: st.builds(
        lambda tag, mark, children: f"<{tag}{mark}>{''.join(children)}</{tag}>",
        st.sampled_from(["div", "span"]),
        st.sampled_from(["", " class=c", " id=d"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(max_examples=80, deadline=None)
@given(
    page=TREES,
    selectors=st.lists(
        st.lists(st.tuples(st.sampled_from([" ", ">", "+", "~"]), PARTS), min_size=1, max_size=4),
        min_size=1,
        max_size=2,
    ),
)
def test_as_the_library_has_it(page: str, selectors: list[list[tuple[str, str]]]) -> None:
    text = ", ".join("".join(f"{how}{part}" for how, part in parts)[1:] for parts in selectors)
    tree = LexborHTMLParser(f"<body>{page}")
    ours = [node.mem_id for node in select(tree, read(text), unbounded)]
    places = order(tree)
    assert ours == sorted({node.mem_id for node in tree.css(text)}, key=lambda found: places[found])


def order(tree: LexborHTMLParser) -> dict[int, int]:
    return {node.mem_id: index for index, node in enumerate(tree.root.traverse())}


def test_a_page_that_nests_deeply() -> None:
    """The library's own matching takes a time with the third power of the depth: an hour for this one."""
    tree = LexborHTMLParser("<div>" * 4_000 + "<p>x</p>" * 1_000)
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1

    began = time.process_time()
    assert select(tree, read("i div div div p"), check) == []
    assert len(select(tree, read("div div p + p"), check)) == 999
    assert time.process_time() - began < 30
    assert checks > 5


FILE = """
ikanos: 1.0.0-beta5
capability:
  consumes:
  - namespace: shop
    type: http
    baseUri: http://shop.invalid
    resources:
      page:
        path: /page
        operations:
          read:
            method: GET
            outputRawFormat: html
            outputParameters:
              price: {type: number, value: .price}
              items: {type: array, value: ul > li}
              link: {type: string, value: "li > a::attr(href)"}
              none: {type: string, value: "#none"}
              title: {type: string, value: $.title}
  exposes:
  - type: rest
    namespace: web
    port: 1
    resources:
      page:
        path: /page
        operations:
          read:
            method: GET
            call: shop.read
            outputParameters:
            - type: object
              properties:
                price: {type: number, mapping: $.price}
                items: {type: array, mapping: $.items, items: {type: string, mapping: $}}
                link: {type: string, mapping: $.link}
                none: {type: string, mapping: $.none}
                title: {type: string, mapping: $.title}
"""


async def test_what_a_file_selects(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, PAGE, "text/html")
    async with on_stage(tmp_path, stage, FILE) as client:
        assert (await client.rest("GET", "/page")).json() == {
            "price": 12.5,
            "items": ["One 1", "Two", "Three"],
            "link": "/two",
            "none": None,
            "title": "Shop",
        }


def test_a_selector_that_is_none_is_found(tmp_path: Path) -> None:
    loaded = naftiko.load(write(tmp_path, FILE.replace("value: .price", "value: 'li:has(b)'")))
    found = next(item for item in loaded.diagnostics if item.code == "invalid-value")
    assert "`:has`" in found.message
    assert FILE.splitlines()[found.span.line].strip().startswith("price:")
