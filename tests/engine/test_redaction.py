"""What no answer may show is found wherever it stands, in short answers and in long ones."""

from __future__ import annotations

import random

import pytest

from naftiko.engine.redaction import Guard, made_needles

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
