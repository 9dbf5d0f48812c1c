"""Every diagnostic code: what it means and what to do about it."""

from __future__ import annotations

from naftiko.diagnostics.code import ERROR, INFO, WARNING, Code
from naftiko.diagnostics.rules import RULES

CODES: dict[str, Code] = {
    # The text
    "not-utf8": Code(ERROR, "The file is not UTF-8.", "Save it as UTF-8."),
    "yaml-syntax": Code(ERROR, "The file is not valid YAML.", "Mend the place the message points at."),
    "yaml-tag": Code(ERROR, "A YAML tag that has no meaning here.", "Write the value as plain text."),
    "yaml-key": Code(ERROR, "A mapping key is not plain text.", "Use a word as the key."),
    "yaml-alias": Code(ERROR, "A YAML alias or merge key cannot be followed.", "Define the anchor before its alias."),
    "yaml-anchor": Code(INFO, "An anchor's value is used again.", "Write it out where other tools must read the file."),
    "duplicate-key": Code(ERROR, "A key stands twice in one mapping.", "Remove one of the two."),
    "several-documents": Code(ERROR, "The file holds several YAML documents.", "Split it into one file each."),
    "empty-file": Code(ERROR, "The file is empty.", "A capability starts with `naftiko:` and `capability:`."),
    "too-deep": Code(ERROR, "The document nests too deeply.", "Flatten it; 100 levels are read."),
    "too-large": Code(ERROR, "The document has too many values.", "Split it; check for aliases that multiply."),
    # Moving to another version
    "migration-name": Code(WARNING, "A name that is new in the migrated file.", "Give it a better one, if there is."),
    "migration-left": Code(WARNING, "Something that a migration leaves as it is.", "Change it by hand."),
    # Importing an OpenAPI document
    "openapi-reference": Code(WARNING, "A `$ref` of an OpenAPI document leads nowhere.", "Mend it, or add the file."),
    "openapi-invalid": Code(WARNING, "Part of an OpenAPI document is not as OpenAPI has it.", "Mend the document."),
    "openapi-left-out": Code(
        WARNING, "Something of an OpenAPI document that a capability cannot express.", "Add what is like it by hand."
    ),
    "openapi-changed": Code(
        INFO, "Something of an OpenAPI document that a capability says otherwise.", "Nothing, if it is what you want."
    ),
    # Files of cases
    "test-file": Code(ERROR, "A file of cases is not as `naftiko test` reads it.", "Write it as the message says."),
    # The document
    "not-a-capability": Code(ERROR, "The file is YAML, but not a capability.", "Add a `capability:` block."),
    "unknown-version": Code(WARNING, "The version in `naftiko:` is not a known one.", "Name a published version."),
    "unknown-key": Code(WARNING, "A key the specification does not know; it has no effect.", "Remove or rename it."),
    "missing-key": Code(ERROR, "A key that is needed is not there.", "Add it."),
    "wrong-type": Code(ERROR, "A value is of the wrong kind.", "Write it as the message says."),
    "invalid-value": Code(ERROR, "A value is not one of the valid ones.", "Use one of those the message lists."),
    "unknown-type": Code(ERROR, "A `type` the specification does not know.", "Use one of those the message lists."),
    "import-failed": Code(ERROR, "An imported adapter cannot be read.", "Mend `location` or `import`."),
    "import-not-pinned": Code(
        WARNING, "An import from another machine does not say what it must be.", "Add `#sha256=` and its digest."
    ),
    # Published variants that are understood
    "call-spelling": Code(INFO, "A call is spelled in a published variant.", "Write `namespace.operation`."),
    "key-spelling": Code(INFO, "A key is spelled in a published variant.", "Use the official key."),
    "info-label": Code(INFO, "`info` spells its `label` otherwise.", "Name it `label`."),
    "properties-list": Code(INFO, "`properties` is a list of named parameters.", "Write it as a map by name."),
    "auth-spelling": Code(INFO, "`authentication` is spelled in a published variant.", "Use the official keys."),
    "body-type": Code(INFO, "The body's `type` is spelled in a published variant.", "Use the official name."),
    "body-without-data": Code(INFO, "A body block without `data`.", "The caller's input `body` is sent."),
    "type-spelling": Code(INFO, "A value type is spelled otherwise.", "Use the JSON Schema name."),
    "method-spelling": Code(INFO, "A method is not in upper case.", "Write it in upper case."),
    "input-without-in": Code(INFO, "A consumed input does not say where it goes.", "Add `in:`."),
    "input-mapping": Code(INFO, "An input names its target with `mapping`.", "Say it under `with:`."),
    "external-refs": Code(INFO, "`externalRefs` of version 0.5.", "Use `binds`."),
    "adapter-type": Code(INFO, "An adapter's `type` is spelled otherwise.", "Use `rest`."),
    "operation-path": Code(INFO, "A consumed operation has a path of its own.", "Give it a resource of its own."),
    # References
    "unknown-namespace": Code(ERROR, "A call names a namespace that nothing defines.", "Use a consumed namespace."),
    "unknown-operation": Code(ERROR, "A call names an operation that nothing defines.", "Use a declared operation."),
    "unknown-function": Code(ERROR, "A `ref` names a function that no aggregate defines.", "Use a declared one."),
    "malformed-call": Code(ERROR, "A call is not `namespace.operation`.", "Write it so."),
    "unknown-step": Code(ERROR, "A step is named that does not come before.", "Name an earlier step."),
    "script-missing": Code(ERROR, "A script is not where it should be.", "Put it below its folder."),
    "duplicate-step": Code(ERROR, "Two steps share a name.", "Rename one."),
    "nothing-to-do": Code(ERROR, "A unit has neither call, ref, steps nor a value.", "Add `call:`."),
    "duplicate-operation": Code(WARNING, "Two operations of one namespace share a name.", "Rename one."),
    "duplicate-namespace": Code(WARNING, "A namespace is declared twice.", "Rename one."),
    "duplicate-route": Code(ERROR, "A REST route that an earlier one already answers.", "Change its path or method."),
    "duplicate-tool": Code(ERROR, "A tool whose name an earlier one already has.", "Rename it."),
    "duplicate-resource": Code(ERROR, "A resource whose URI an earlier one already has.", "Give it another `uri:`."),
    "duplicate-skill": Code(ERROR, "A skill whose name an earlier one already has.", "Rename it."),
    "skill-tool": Code(ERROR, "A tool of a skill is neither one of an adapter nor a text.", "Mend `from`."),
    "duplicate-prompt": Code(ERROR, "A prompt whose name an earlier one already has.", "Rename it."),
    "invalid-uri": Code(
        ERROR, "A resource's `uri` is none that a client can ask for.", "Write `scheme://path/{name}`."
    ),
    "resource-needs-input": Code(
        ERROR,
        "A resource needs a value that its URI has no place for.",
        "Add `{name}` to it, or set it in `with`.",
    ),
    "file-missing": Code(ERROR, "A `location` is not there, or is no file or folder.", "Mend it, or add the file."),
    "ui-resource": Code(WARNING, "A tool's page is none of its adapter's resources.", "Add the resource."),
    "without-effect": Code(WARNING, "A key that has no effect where it stands.", "Remove it."),
    "path-input-without-placeholder": Code(
        ERROR, "An input goes into the path, but the path has no place for it.", "Add `{name}` to the path."
    ),
    "unused-with": Code(WARNING, "`with` sets an input that the called operation does not take.", "Remove it."),
    "unused-input": Code(WARNING, "A declared input is used nowhere.", "Refer to it under `with:`."),
    "invalid-jsonpath": Code(ERROR, "A JSONPath cannot be read.", "Mend it; `$` is the whole answer."),
    "invalid-literal": Code(ERROR, "A value does not fit the type of the input it is for.", "Change value or type."),
    "invalid-base-uri": Code(ERROR, "A base URI is not usable.", "Write `https://host/path`, or use `--base-uri`."),
    "invalid-header-name": Code(ERROR, "A header or cookie name has characters HTTP does not allow.", "Rename it."),
    "connection-header": Code(WARNING, "A header that each connection sets by itself is declared.", "Remove it."),
    "without-tls": Code(WARNING, "Credentials go to an upstream without TLS.", "Write `https://` in its base URI."),
    "body-not-json": Code(ERROR, "A body that should be JSON is not.", "Mend it, or declare its `Content-Type`."),
    "unknown-variable": Code(ERROR, "A bind namespace has no variable of this name.", "Use a declared one."),
    "literal-like-variable": Code(WARNING, "A literal value is spelled like a variable.", "Write `{{NAME}}`."),
    "auth-incomplete": Code(ERROR, "An `authentication` lacks what its type needs.", "Add the missing key."),
    "token-audience": Code(WARNING, "Tokens for any audience are taken.", "Add `audience:` or `resource:`."),
    "undeclared-variable": Code(WARNING, "A variable is used that no binding declares.", "Declare it under `binds`."),
    "missing-variable": Code(ERROR, "A variable that is needed has no value.", "Set it in the environment."),
    "no-request-body": Code(INFO, "An operation that usually has a body declares none.", "Add an input `in: body`."),
    "not-supported": Code(WARNING, "A part of the specification that is not carried out here.", "It is left out."),
    "open-to-all": Code(WARNING, "Anybody who reaches the machine can call.", "Add `authentication:`."),
    "port-missing": Code(ERROR, "An adapter has no port.", "Add `port:`."),
    "nothing-to-serve": Code(WARNING, "The capability exposes nothing that can be served.", "Add an adapter."),
    "tool-name": Code(WARNING, "Models refuse a tool of this name.", "Use letters, digits, `_` and `-`, 64 at most."),
    "literal-secret": Code(WARNING, "A secret stands in the file.", "Put it into a variable: `{{env.NAME}}`."),
    "undeclared-input": Code(WARNING, "A reference to an input that the unit does not declare.", "Mend the name."),
    # Several files
    "conflict-namespace": Code(WARNING, "Two files have a namespace on one port.", "Rename one."),
    "conflict-route": Code(
        WARNING, "Two files have a route on one port.", "Change one, or call it below its namespace."
    ),
    "conflict-tool-name": Code(WARNING, "Two files have a tool of one name on a shared endpoint.", "Rename one."),
    "conflict-prompt-name": Code(WARNING, "Two files have a prompt of one name on a shared endpoint.", "Rename one."),
    "conflict-resource": Code(WARNING, "Two files have a resource at one URI on a shared endpoint.", "Change one."),
    "joint-tool-name": Code(INFO, "A tool's name is cut on a shared endpoint.", "Shorten it."),
    # The specification to the letter (`--strict`)
    "spec-unknown-key": Code(ERROR, "The specification has no such key there.", "Remove or rename it."),
    "spec-missing-key": Code(ERROR, "The specification requires a key that is not there.", "Add it."),
    "spec-type": Code(ERROR, "A value is of another type than the specification says.", "Write one of its type."),
    "spec-value": Code(ERROR, "A value is not one that the specification allows.", "Write it as the message says."),
    "spec-choice": Code(ERROR, "Parts stand together of which the specification allows one.", "Keep one of them."),
    **RULES,
}
