"""Whether a text written into a file is a secret, by its shape: long, without words, its characters evenly spread."""

from __future__ import annotations

import math
import re
from collections import Counter

_PREFIXES = (
    "sk-",
    "sk_live_",
    "sk_test_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xox",
    "AKIA",
    "AIza",
    "eyJ",
    "-----BEGIN",
)
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~-]{12,}")
_PLACEHOLDER = re.compile(r"your|example|placeholder|changeme|change-me|xxxx|<|\*\*\*", re.IGNORECASE)


def looks_secret(text: str) -> bool:
    """Whether a text has the shape of a key, a token or a password that somebody generated."""
    text = text.strip()
    if not text or len(text) > 8192 or _PLACEHOLDER.search(text) is not None:
        return False
    if has_known_prefix(text):
        return True
    if _TOKEN.fullmatch(text) is None:
        return False
    has_digit = any(char.isdigit() for char in text)
    has_letter = any(char.isalpha() for char in text)
    return has_digit and has_letter and entropy(text) >= 3.0


def has_known_prefix(text: str) -> bool:
    """Whether a text begins as the keys of well-known issuers do."""
    return text.startswith(_PREFIXES) and len(text) >= 12


def entropy(text: str) -> float:
    """The Shannon entropy of a text's characters, in bits for each."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def is_plain_word(text: str) -> bool:
    """Whether a text stands for a credential rather than being one: a placeholder, a file, or letters only."""
    text = text.strip()
    is_file = text.startswith(("/", "./", "~")) or text.endswith((".pem", ".key", ".crt"))
    return not text or is_file or _PLACEHOLDER.search(text) is not None or not any(char.isdigit() for char in text)
