# ruff: noqa: E501 - a file with everything in it has long lines
"""Every key of every published specification stands in a file here, and each is carried out or refused by a finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from naftiko.diagnostics import Severity
from naftiko.document.reader import parse
from naftiko.document.source import Source, read_source
from naftiko.validation.checking import checked
from support import SHARED, needs_shared, read_yaml, write

SCHEMAS = SHARED / "reference" / "schemas"

OUTPUTS = """
            - type: object
              mapping: $
              const: {a: 1}
              VALUE
              properties:
                id: {type: string, mapping: $.idCONST}
                rows: {type: array, mapping: $.rows, const: [1], VALUEIN items: ITEM}
"""

LISTS = """
naftiko: 'VERSION'
info:
  label: Everything
  description: Every key.
  tags: [a]
  created: '2026-01-01'
  modified: '2026-01-02'
  stakeholders: [{role: owner, fullName: Ada, email: ada@example.com}]
BINDS
capability:
  INNERBINDS
  consumes:
  - namespace: shop
    type: http
    description: d
    baseUri: https://shop.example
    inputParameters: [{name: X-A, in: header, value: a}]
    authentication: {type: basic, username: u, password: '{{PASS_WORD}}'}
    resources:
    - name: all
      label: All
      description: d
      path: /all/{{id}}
      inputParameters: [{name: id, in: path}]
      operations:
      - name: get
        label: Get
        description: d
        method: POST
        inputParameters: [{name: q, in: query, value: v}]
        outputRawFormat: json
        SCHEMA
        outputParameters: [{name: part, type: string, value: $.part}]
        body: {type: json, data: {a: '{{q}}'}}
      - {name: form, method: POST, body: {type: formUrlEncoded, data: {a: b}}}
      - {name: text, method: POST, body: {type: text, data: t}}
      - name: parts
        method: POST
        body: {type: multipartForm, data: [{name: f, value: v, filename: f.txt, contentType: text/plain}]}
  - {namespace: b, type: http, description: d, baseUri: 'https://b.example', authentication: {type: bearer, token: '{{PASS_WORD}}'}}
  - {namespace: c, type: http, description: d, baseUri: 'https://c.example', authentication: {type: digest, username: u, password: p}}
  - namespace: d
    type: http
    description: d
    baseUri: https://d.example
    authentication: {type: apikey, key: k, value: v, placement: query}
  IMPORT
  exposes:
  - type: REST
    address: localhost
    port: 3000
    namespace: web
    authentication: {type: bearer, token: '{{PASS_WORD}}'}
    resources:
    - path: /all/{id}
      label: All
      description: d
      name: all
      inputParameters: [{name: id, in: path, type: string, description: d, pattern: '^a', value: $.id}]
      operations:
      - name: get
        label: Get
        description: d
        method: POST
        inputParameters: [{name: q, in: query, type: string, description: d}]
        call: shop.get
        with: {q: v}
        outputParameters:OUTPUTS
      - name: steps
        method: GET
        steps:
        - {type: call, name: first, call: shop.get, with: {id: '1'}}
        - {type: lookup, name: second, index: first, match: id, lookupValue: $.first.id, outputParameters: [name]}
        SCRIPT
        mappings: [{targetName: name, value: $.second.name}]
        outputParameters:
        - {name: name, type: string}
        - {name: list, type: array, items: [{name: x, type: string}]}
        - {name: object, type: object, properties: {x: {name: x, type: string}}}
      REFOPERATION
    - {path: '/to/{path}', description: d, forward: {targetNamespace: b, trustedHeaders: [x-a]}}
  - type: mcp
    transport: http
    address: localhost
    port: 3001
    namespace: tools
    description: d
    MCPAUTH
    tools:
    - name: get
      TOOLLABEL
      description: d
      inputParameters: [{name: id, type: string, description: d, required: true}]
      call: shop.get
      with: {q: v}
      outputParameters:OUTPUTS
    - name: steps
      description: d
      steps: [{type: call, name: first, call: shop.get, with: {id: '1'}}]
      mappings: [{targetName: name, value: $.first.name}]
      outputParameters: [{name: name, type: string}]
    REFTOOL
    RESOURCES
  SKILL
  CONTROL
AGGREGATES
"""

RESOURCES = """
    resources:
    - name: r
      label: R
      uri: x://r
      description: d
      mimeType: text/plain
      call: shop.get
      with: {id: '1'}
      outputParameters: [{type: string, mapping: $.a}]
    - name: s
      label: S
      uri: x://s
      description: d
      steps: [{type: call, name: first, call: shop.get, with: {id: '1'}}]
      mappings: [{targetName: name, value: $.first.name}]
    - {name: l, label: L, uri: x://l, description: d, location: file:///./folder}
    prompts:
    - name: p
      label: P
      description: d
      arguments: [{name: a, label: A, description: d, required: true}]
      template: [{role: user, content: '{{a}}'}]
    - {name: f, label: F, description: d, location: file:///./prompt.md}
"""

SKILL = """
  - type: skill
    address: localhost
    port: 3002
    namespace: skills
    description: d
    authentication: {type: basic, username: u, password: p}
    skills:
    - name: s
      description: d
      license: MIT
      compatibility: any
      metadata: {a: b}
      allowed-tools: x
      argument-hint: h
      user-invocable: true
      disable-model-invocation: false
      location: file:///./skill
      tools:
      - {name: t, description: d, from: {sourceNamespace: tools, action: get}}
      - {name: i, description: d, instruction: i.md}
"""

CONTROL = """
  - type: control
    address: localhost
    port: 3003
    authentication:
      type: oauth2
      authorizationServerUri: https://auth.example
      resource: https://r.example
      scopes: [a]
      audience: a
      tokenEndpoint: https://auth.example/token
      tokenValidation: jwks
    management:
      health: true
      info: true
      reload: true
      validate: true
      logs: {level-control: true, stream: true, max-subscribers: 2}
      scripting:
        enabled: true
        defaultLocation: file:///./scripts
        defaultLanguage: python
        timeout: 1000
        statementLimit: 1000
        allowedLanguages: [python]
    observability:
      enabled: true
      metrics: {local: {enabled: true}}
      traces: {sampling: 1, propagation: w3c, local: {enabled: true, buffer-size: 10}}
      exporters: {otlp: {endpoint: 'http://localhost:4318'}}
"""

AGGREGATES = """
  aggregates:
  - label: Flows
    namespace: flows
    functions:
    - name: get
      description: d
      semantics: {safe: true, idempotent: true, cacheable: true}
      inputParameters: [{name: id, type: string, description: d}]
      call: shop.get
      with: {q: v}
      outputParameters: [{type: string, mapping: $.a}]
    - name: steps
      description: d
      steps: [{type: call, name: first, call: shop.get}]
      mappings: [{targetName: name, value: $.first.name}]
    - {name: mock, description: d, outputParameters: [{name: a, type: string, value: b}]}
"""

SCRIPT = (
    "- {type: script, name: third, language: python, location: 'file:///./scripts', file: a.py, "
    "dependencies: [b.py], with: {x: 1}}"
)
BINDS = "{namespace: env, description: d, location: 'file:///./secrets.yaml', keys: {PASS_WORD: pass}}"
REFS = """
- {name: env, description: d, type: environment, resolution: file, uri: ./secrets.yaml, keys: {PASS_WORD: pass}}
- {name: run, TYPE type: variables, resolution: runtime, keys: {OTHER: other}}
"""


def of_lists(version: str) -> str:
    """A file with every key of a version whose named things stand in lists."""
    level = ["0.4", "0.5", "1.0.0-alpha1", "1.0.0-alpha2"].index(version)
    since = lambda first, text: text if level >= first else ""  # noqa: E731
    parts = {
        "INNERBINDS": since(2, f"binds: [{BINDS}]"),
        "BINDS": f"binds: [{BINDS}]"
        if level >= 2
        else f"externalRefs:{REFS}".replace("TYPE", "" if level < 1 else "description: d,"),
        "VERSION": version,
        "IMPORT": since(
            1, "- {location: ./other.yaml, import: other, as: alias}".replace("}", since(3, ", description: d") + "}")
        ),
        "SCHEMA": since(3, "outputSchema: s"),
        "SCRIPT": since(3, SCRIPT),
        "REST": "rest" if level else "api",
        "MCPAUTH": since(3, "authentication: {type: bearer, token: '{{PASS_WORD}}'}"),
        "TOOLLABEL": since(1, "label: Get"),
        "REFTOOL": since(
            3,
            "- {name: by-ref, ref: flows.get, hints: {readOnly: true, destructive: false, idempotent: true, openWorld: true}}",
        ),
        "REFOPERATION": since(3, "- {name: by-ref, method: PUT, ref: flows.get}"),
        "RESOURCES": since(1, RESOURCES),
        "SKILL": since(1, SKILL),
        "CONTROL": since(3, CONTROL),
        "AGGREGATES": since(3, AGGREGATES),
        "OUTPUTS": OUTPUTS,
    }
    text = LISTS
    for name, part in parts.items():
        text = text.replace(name, part)
    item = "{type: string, mapping: $.a}"
    text = text.replace("CONST", since(3, ", const: x"))
    text = text.replace("VALUEIN", since(3, "value: x,")).replace("VALUE", since(3, "value: x"))
    return "\n".join(
        line for line in text.replace("ITEM", f"[{item}]" if level < 2 else item).splitlines() if line.strip()
    )


MAPS = """
ikanos: 'VERSION'
info:
  display: Everything
  description: Every key.
  tags: [a]
  created: '2026-01-01'
  modified: '2026-01-02'
  INFOVERSION
  stakeholders: [{role: owner, fullName: Ada, email: ada@example.com}]
consumes:
- {from: ./other.yaml, import: other, as: alias, description: d}
aggregates:
- {from: ./other.yaml, import: flows, as: more}
exposes:
- {from: ./other.yaml, import: web, as: again}
binds:
- {namespace: env, description: d, location: 'file:///./secrets.yaml', keys: {PASS_WORD: pass}}
capability:
  binds:
  - {namespace: inner, keys: {OTHER: other}}
  consumes:
  - namespace: shop
    type: http
    description: d
    baseUri: https://shop.example
    inputParameters: {X-A: {in: header, value: a}}
    authentication: {type: basic, username: u, password: '{{PASS_WORD}}'}
    tunnel: {type: ziti, service: s, identity: i, fallback: direct}
    resources:
      all:
        display: All
        tags: [a]
        description: d
        path: /all/{{id}}
        inputParameters: {id: {in: path}}
        operations:
          get:
            display: Get
            tags: [a]
            description: d
            method: POST
            inputParameters: {q: {in: query, value: v}}
            outputRawFormat: json
            outputSchema: s
            OPERATIONBINARY
            outputParameters: {part: {type: string, value: $.part}}
            body: {type: json, data: {a: '{{q}}'}}
          form: {method: POST, body: {type: formUrlEncoded, data: {a: b}}}
          text: {method: POST, body: {type: text, data: t}}
          parts:
            method: POST
            body: {type: multipartForm, data: [{name: f, value: v, filename: f.txt, contentType: text/plain}]}
  - {namespace: b, type: http, baseUri: 'https://b.example', authentication: {type: bearer, token: '{{PASS_WORD}}'}}
  - {namespace: c, type: http, baseUri: 'https://c.example', authentication: {type: digest, username: u, password: p}}
  - {namespace: d, type: http, baseUri: 'https://d.example', authentication: {type: apikey, key: k, value: v, placement: query}}
  SERVER
  exposes:
  - type: rest
    address: localhost
    port: 3000
    namespace: web
    authentication: {type: bearer, token: '{{PASS_WORD}}'}
    ADAPTERBINARY
    resources:
      all:
        path: /all/{id}
        display: All
        tags: [a]
        description: d
        inputParameters: {id: {in: path, type: string, description: d, pattern: '^a', value: $.id}}
        operations:
          get:
            display: Get
            tags: [a]
            description: d
            method: POST
            inputParameters: {q: {in: query, type: string, description: d}}
            call: shop.get
            with: {q: v}
            RESPONSES
            outputParameters:
            - type: object
              mapping: $
              const: {a: 1}
              value: x
              properties:
                id: {type: string, mapping: $.id, const: x}
                scalar: {type: number, value: '1'}
                is: {type: boolean, mapping: $.is}
                rows: {type: array, mapping: $.rows, const: [1], value: x, items: {type: string, value: a}}
          steps:
            method: GET
            RESPONSEBINARY
            steps:
              first: {type: call, call: shop.get, with: {id: '1'}}
              second: {type: lookup, index: first, match: id, lookupValue: $.first.id, outputParameters: [name]}
              third:
                type: script
                language: python
                location: file:///./scripts
                file: a.py
                dependencies: [b.py]
                with: {x: 1}
            mappings: [{target: name, value: $.second.name}]
            outputParameters:
              name: {type: string}
              list: {type: array, items: {x: {type: string}}}
              object: {type: object, properties: {x: {type: string}}}
          by-ref: {method: PUT, ref: flows.get}
      to: {path: '/to/{path}', forward: {targetNamespace: b, trustedHeaders: [x-a]}}
  - type: mcp
    transport: http
    address: localhost
    port: 3001
    namespace: tools
    description: d
    ADAPTERBINARY
    CACHE
    authentication: {type: bearer, token: '{{PASS_WORD}}'}
    tools:
      get:
        display: Get
        tags: [a]
        description: d
        inputParameters: {id: {type: string, description: d, required: true}}
        call: shop.get
        with: {q: v}
        hints: {readOnly: true, destructive: false, idempotent: true, openWorld: true}
        outputParameters: [{type: string, mapping: $.a}]
      steps:
        description: d
        steps: {first: {type: call, call: shop.get}}
        mappings: [{target: name, value: $.first.name}]
        outputParameters: {name: {type: string}}
      by-ref: {ref: flows.get}
      mock: {description: d, outputParameters: {a: {type: string, value: b}}}
    resources:
      r:
        display: R
        uri: x://r
        description: d
        mimeType: text/plain
        RESOURCEBINARY
        call: shop.get
        with: {id: '1'}
        outputParameters: [{type: string, mapping: $.a}]
      s:
        display: S
        uri: x://s
        description: d
        steps: {first: {type: call, call: shop.get, with: {id: '1'}}}
        mappings: [{target: name, value: $.first.name}]
        outputParameters: {name: {type: string}}
      l: {display: L, uri: x://l, description: d, location: file:///./folder}
    prompts:
      p:
        display: P
        description: d
        arguments: {a: {display: A, description: d, required: true}}
        template: [{role: user, content: '{{a}}'}]
      f: {display: F, description: d, location: file:///./prompt.md}
  - type: skill
    address: localhost
    port: 3002
    namespace: skills
    description: d
    authentication: {type: basic, username: u, password: p}
    skills:
      s:
        description: d
        license: MIT
        compatibility: any
        metadata: {a: b}
        allowed-tools: x
        argument-hint: h
        user-invocable: true
        disable-model-invocation: false
        location: file:///./skill
        tools:
          t: {description: d, from: {sourceNamespace: tools, action: get}}
          i: {description: d, instruction: i.md}
CONTROL
  aggregates:
  - display: Flows
    namespace: flows
    flows:
      get:
        description: d
        tags: [a]
        semantics: {safe: true, idempotent: true, cacheable: true}
        FLOWBINARY
        inputParameters: {id: {type: string, description: d}}
        call: shop.get
        with: {q: v}
        outputParameters: [{type: string, mapping: $.a}]
      steps:
        description: d
        steps: {first: {type: call, call: shop.get}}
        mappings: [{target: name, value: $.first.name}]
        outputParameters: {name: {type: string}}
      mock: {description: d, outputParameters: {a: {type: string, value: b}}}
"""

SERVER = """
  - namespace: library
    type: mcp
    description: d
    endpoint: https://library.example/mcp
    authentication: {type: bearer, token: '{{PASS_WORD}}'}
    discovery: off
    tools:
      find:
        display: Find
        tags: [a]
        description: d
        inputParameters: {isbn: {type: string, description: d, required: false}}
        hints: {readOnly: true}
        outputParameters: {title: {type: string, value: $.title}}
        validateOutput: warn
"""
NEWER = [
    "1.0.0-alpha3",
    "1.0.0-alpha4",
    "1.0.0-beta1",
    "1.0.0-beta2",
    "1.0.0-beta3",
    "1.0.0-beta4",
    "1.0.0-beta5",
    "1.0.0-beta7",
]


def of_maps(version: str) -> str:
    """A file with every key of a version whose named things stand in maps."""
    level = NEWER.index(version)
    since = lambda first, text: text if level >= NEWER.index(first) else ""  # noqa: E731
    responses = (
        "responses: {'200': {description: d, content: {application/json: {binary: false, schema: {type: object}}}}}"
    )
    parts = {
        "INFOVERSION": since("1.0.0-beta4", "version: '1'"),
        "VERSION": version,
        "OPERATIONBINARY": since("1.0.0-beta1", "outputMediaType: a/b\n            maxBinarySize: 1MiB"),
        "ADAPTERBINARY": since("1.0.0-beta1", "maxBinarySize: 1MiB"),
        "RESOURCEBINARY": since("1.0.0-beta1", "binary: true"),
        "FLOWBINARY": since("1.0.0-beta1", "outputMediaType: a/b"),
        "RESPONSES": since("1.0.0-beta1", responses),
        "RESPONSEBINARY": since("1.0.0-beta1", "responseBinary: {status: 200, mediaType: a/b, description: d}"),
        "CACHE": since("1.0.0-beta4", "ttlMs: 5\n    cacheScope: public"),
        "SERVER": since("1.0.0-beta7", SERVER),
        "CONTROL": CONTROL,
    }
    text = MAPS
    for name, part in parts.items():
        text = text.replace(name, part)
    return "\n".join(line for line in text.splitlines() if line.strip())


CASES = [
    *((f"naftiko-{version}", of_lists(version)) for version in ("0.4", "0.5", "1.0.0-alpha1", "1.0.0-alpha2")),
    ("naftiko-1.0.0-alpha3", of_lists("1.0.0-alpha2").replace("1.0.0-alpha2", "1.0.0-alpha3")),
    *((f"ikanos-{version}", of_maps(version)) for version in NEWER if version != "1.0.0-beta5"),
    ("ikanos-main-2026-08-21", of_maps("1.0.0-beta5")),
]
OTHER = """
ikanos: 1.0.0-beta5
consumes: [{namespace: other, type: http, baseUri: 'https://o.example', resources: {r: {path: /r, operations: {get: {method: GET}}}}}]
aggregates: [{display: F, namespace: flows, flows: {f: {description: d, call: other.get}}}]
exposes: [{type: rest, namespace: web, port: 4000, resources: {r: {path: /r, operations: {get: {method: GET, call: alias.get}}}}}]
"""


class Walk:
    """Which keys of which definitions a document has."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.definitions = schema["$defs"]
        self.seen: set[tuple[str, str]] = set()

    def visit(self, rule: Any, value: Any, owner: str) -> None:
        if not isinstance(rule, dict):
            return
        if "$ref" in rule:
            name = rule["$ref"].rpartition("/")[2]
            self.visit(self.definitions[name], value, name)
        for word in ("oneOf", "anyOf", "allOf"):
            for option in rule.get(word, ()):
                if self.may_be(option, value):
                    self.visit(option, value, owner)
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in rule.get("properties", {}):
                    self.seen.add((owner, key))
                    self.visit(rule["properties"][key], inner, f"{owner}.{key}")
                else:
                    self.visit(rule.get("additionalProperties"), inner, f"{owner}.*")
        elif isinstance(value, list):
            for item in value:
                self.visit(rule.get("items"), item, f"{owner}[]")

    def may_be(self, rule: dict[str, Any], value: Any) -> bool:
        """Whether a branch is meant: what has a `type` means the branch that names it."""
        named = self.definitions[rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule
        kind = named.get("properties", {}).get("type", {})
        if not isinstance(value, dict) or not isinstance(kind, dict) or "type" not in value:
            return True
        words = [kind["const"]] if "const" in kind else kind.get("enum")
        return words is None or value["type"] in words

    def expected(self) -> Iterator[tuple[str, str]]:
        for name, definition in self.definitions.items():
            for key in definition.get("properties", {}):
                yield name, key


@needs_shared
@pytest.mark.parametrize(("name", "text"), CASES, ids=[name for name, _ in CASES])
def test_every_key_is_read_or_refused(tmp_path: Path, name: str, text: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    (tmp_path / "secrets.yaml").write_text("pass: x\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "prompt.md").write_text("Hello")
    for script in ("a.py", "b.py"):
        (tmp_path / "scripts" / script).write_text("result = 1\n")
    write(tmp_path, OTHER, "other.yaml")
    file = write(tmp_path, text)
    assert parse(Source("f", text.encode())).diagnostics == ()
    walk = Walk(schema)
    value = read_yaml(text)
    walk.visit(schema, value, "ROOT")
    bases = {"MappedOutputParameterBase", "OrchestratedOutputParameterBase", "OperationStepBase"}
    missing = sorted(pair for pair in walk.expected() if pair not in walk.seen and pair[0] not in bases)
    assert missing == []
    assert {("ROOT", key) for key in schema["properties"]} - walk.seen <= {("ROOT", "consumes"), ("ROOT", "name")}
    built, found = checked(read_source(file), is_strict=True)
    wrong = [f"{item.where}: {item.message}" for item in found if item.code.startswith("spec-")]
    assert wrong == []
    unread = [
        f"{item.where}: {item.message}" for item in built.diagnostics if item.code in ("unknown-key", "unknown-type")
    ]
    assert unread == []
    refused = {item.code for item in built.diagnostics if item.severity is Severity.ERROR}
    assert refused <= {"not-supported", "body-not-json"}, [
        (item.code, item.message) for item in built.diagnostics if item.severity is Severity.ERROR
    ]
