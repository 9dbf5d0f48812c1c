"""The codes of the official lint rules, which `--strict` applies: rules of both keys, and those of one only."""

from __future__ import annotations

from naftiko.diagnostics.code import ERROR, INFO, WARNING, Code

_BOTH: dict[str, Code] = {
    "namespaces-unique": Code(ERROR, "Namespaces are unique across adapters and bindings.", "Rename one."),
    "consumes-baseuri-no-trailing-slash": Code(WARNING, "A base URI ends with a slash.", "Remove it."),
    "consumed-resource-no-query-in-path": Code(WARNING, "A consumed path has a query.", "Declare inputs `in: query`."),
    "rest-resource-path-no-trailing-slash": Code(WARNING, "A route ends with a slash.", "Remove it."),
    "rest-resource-path-no-query": Code(WARNING, "A route has a query.", "Declare inputs `in: query`."),
    "address-not-example": Code(WARNING, "An address is a placeholder.", "Use a real one, or leave it out."),
    "aggregate-semantics-consistency": Code(
        WARNING, "Hints or a method contradict a function's semantics.", "Change one of the two."
    ),
    "mcp-auth-stdio-conflict": Code(WARNING, "The stdio transport has authentication.", "Remove it."),
    "consumes-description": Code(WARNING, "An API to consume has no description.", "Add `description:`."),
    "rest-resource-description": Code(WARNING, "A REST resource has no description.", "Add `description:`."),
    "no-script-tags-in-markdown": Code(ERROR, "A text holds a script tag.", "Remove it."),
    "no-eval-in-markdown": Code(ERROR, "A text holds a call of eval.", "Remove it."),
    "control-port-singleton-and-unique": Code(
        ERROR, "There are two control adapters, or one shares its port.", "Keep one, on a port of its own."
    ),
    "control-address-localhost-warning": Code(
        WARNING, "The control port can be reached from outside.", "Use `localhost`."
    ),
    "script-defaults-required": Code(
        ERROR, "A script step does not know its folder or language.", "Add `location:` and `language:`."
    ),
}

_NAFTIKO: dict[str, Code] = {
    "aggregate-function-description": Code(WARNING, "A function has no description.", "Add `description:`."),
    "steps-name-pattern": Code(WARNING, "A step's name has other characters.", "Rename it."),
}

_IKANOS: dict[str, Code] = {
    "aggregate-flow-description": Code(WARNING, "A flow has no description.", "Add `description:`."),
    "aggregates-namespace-required": Code(ERROR, "Flows to import have no namespace.", "Add `namespace:`."),
    "aggregates-unique-function-name": Code(ERROR, "Two functions have one name.", "Rename one."),
    "exposes-namespace-required": Code(
        ERROR, "An adapter that others can import has no namespace.", "Add `namespace:`."
    ),
    "import-from-not-self": Code(WARNING, "An import is from the folder itself.", "Name the file."),
    "import-from-required": Code(ERROR, "An import does not say what it takes.", "Add `import:`."),
    "import-import-required": Code(ERROR, "An import does not say where it is from.", "Add `from:`."),
    "import-unique-alias": Code(ERROR, "Two imports have one name here.", "Give one another name with `as:`."),
    "mcp-consumed-tool-hints": Code(WARNING, "A consumed tool has no hints.", "Add `hints:`."),
    "mcp-consumes-endpoint-https": Code(
        ERROR, "A consumed MCP server is not called by https.", "Use an `https://` address."
    ),
    "standalone-no-imports": Code(
        ERROR, "A file that others import imports something itself.", "Import it in the capability."
    ),
    "tunnel-fallback-direct-warns": Code(
        WARNING, "Where a tunnel is shut, a public address is called.", "Use `fallback: fail`."
    ),
    "tunnel-identity-must-bind": Code(
        ERROR, "A tunnel's identity names a variable that is not bound.", "Declare it in `binds:`."
    ),
    "tunnel-with-public-baseuri-warns": Code(
        INFO, "A tunnel leads to a public address.", "Make sure that it is reached through the tunnel."
    ),
}

RULES: dict[str, Code] = {
    f"{key}-{name}": code
    for key, codes in (("naftiko", _BOTH | _NAFTIKO), ("ikanos", _BOTH | _IKANOS))
    for name, code in codes.items()
}
"""What each rule is called: the document's key and the rule's name."""
