"""What operations are said to do."""

from __future__ import annotations

from naftiko.authoring import wording
from naftiko.authoring.openapi.model import Api, Operation


def short(operation: Operation) -> str:
    """What a tool does, for models: the summary, and a sentence more where that is short, too."""
    text = wording.sentence(operation.summary or operation.description, 200)
    more = wording.sentence(operation.description, 200)
    if operation.summary and more and more.rstrip(".").lower() != text.rstrip(".").lower():
        text = f"{text.rstrip('.')}. {more}" if len(text) + len(more) < 240 else text
    return _marked(operation, text or f"{operation.method} {operation.path}")


def whole(operation: Operation) -> str:
    """What an operation does, for people."""
    text = wording.plain(operation.description) or wording.sentence(operation.summary, 500)
    return _marked(operation, text or f"{operation.method} {operation.path}")


def display(operation: Operation) -> str:
    """A title; empty where there is none."""
    return wording.sentence(operation.summary, 80)


def resource(api: Api, operation: Operation) -> str:
    """What the resource of an operation is: as its path, or its tag, is described."""
    item = api.root.get("paths").get(operation.path)
    told = [api.tags.get(tag, "") for tag in operation.tags]
    texts = [item.string("summary"), item.string("description"), *told, ", ".join(operation.tags)]
    return wording.sentence(next((text for text in texts if text), ""), 200) or f"`{operation.path}`"


def _marked(operation: Operation, text: str) -> str:
    return f"Deprecated. {text}" if operation.is_deprecated else text
