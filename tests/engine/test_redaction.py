"""What no answer may show is found wherever it stands, in short answers and in long ones."""

from __future__ import annotations

import random

import pytest

from naftiko.engine.redaction import Guard, made_needles, redacted

SECRETS = ("s3cr3t-token-of-ours", "Zq#9 ü/x==", "aaaaaaaaaa")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("size", [100, 32 * 1024 - 1, 32 * 1024, 300_000])
@pytest.mark.parametrize(
    "alphabet", [b"ab ", bytes(range(32, 127)), b"abcdefghijklmnopqrstuvwxyz0123456789-#=/ZQ9\xc3\xbc\\u"]
)
def test_found_wherever_it_stands(secret: str, size: int, alphabet: bytes) -> None:
    chance = random.Random(size)
    guard = Guard(None, (secret,), frozenset())
    text = bytes(chance.choices(alphabet, k=size)).replace(b"aaaaaaaaaa", b"ab")
    assert not guard.shows(text, ())
    for needle in made_needles((secret,)):
        for place in (0, 1, len(text) // 3, len(text) // 2 - 5, len(text) - 2, len(text)):
            assert guard.shows(text[:place] + needle + text[place:], ()), (needle, place)
        broken = text[: len(text) // 3] + needle[:-1] + b"\x7f" + text[len(text) // 3 :]
        assert guard.shows(broken, ()) == any(other in broken for other in made_needles((secret,)))


@pytest.mark.parametrize("charset", ["utf-16-le", "UTF-16BE", "utf-32-le", "cp037", "utf-7", "utf-16"])
def test_found_in_any_charset(charset: str) -> None:
    """However long the text before it is that holds no zero bytes."""
    secret = "s3cr3t-token-of-ours"
    text = ("\u6f22" * 300 if charset != "cp037" else "x" * 600) + secret + "."
    content = text.encode(charset)
    guard = Guard(None, (secret,), frozenset({"content-type"}))
    assert guard.shows(content, [("content-type", f"text/plain; charset={charset}")])
    cleaned = redacted(content, made_needles((secret,), charset.lower()))
    assert secret not in cleaned.decode(charset, "replace")
    assert not guard.shows(b"{}", [("content-type", "application/json; charset=utf-8")])
    assert not guard.shows(b"{}", [("content-type", "text/html; charset=ISO-8859-1")])


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8"])
def test_letters_beyond_ascii(charset: str) -> None:
    secret = "pässwört-of-ours"
    content = f"you sent {secret}".encode(charset)
    guard = Guard(None, (secret,), frozenset({"content-type"}))
    assert guard.shows(content, [("content-type", f"text/plain; charset={charset}")])
    assert secret not in redacted(content, made_needles((secret,), charset)).decode(charset)
