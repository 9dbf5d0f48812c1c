"""What is written is read as the same, by this engine and by readers of YAML 1.1."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from naftiko.authoring.openapi.texts import read
from naftiko.authoring.yamltext import dumped
from support import read_yaml

WORDS = "yes No on null ~ 1 1e3 0x1F 1_000 12:30:45 2026-01-31 .5 - # {a} [a] *a &a !a %a @a `a` ' \" << ="
ODD = st.sampled_from([*WORDS.split(), "", " ", "- a", "a: b", "a #b", "a\nb", "\n", " a", "a ", "1" * 200])
TEXT = st.one_of(ODD, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029\ufeff")))
VALUE = st.recursive(
    st.one_of(TEXT, st.booleans(), st.none(), st.integers(-(10**20), 10**20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(TEXT.filter(lambda text: text != "<<"), VALUE, max_size=5))
def test_there_and_back(value: dict) -> None:
    text = dumped(value)
    assert read_yaml(text) == value
    assert read("x", text.encode(), "x").value == value or _has_merge(value)


def _has_merge(value: object) -> bool:
    """Whether a key is the merge key of YAML 1.1, which other readers take for that even where it is quoted."""
    if isinstance(value, dict):
        return "<<" in value or any(map(_has_merge, value.values()))
    return isinstance(value, list) and any(map(_has_merge, value))


def test_short_entries_are_on_one_line() -> None:
    assert dumped({"a": {"b": 1, "c": ["x", "y"]}}) == "a: {b: 1, c: [x, y]}\n"
    assert dumped({"a": [{"b": "x" * 100}]}) == f"a:\n- b: {'x' * 100}\n"
