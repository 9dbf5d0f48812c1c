"""A capability to begin with: one that runs at once, with comments where something is to be put in."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from naftiko.authoring import naming, yamltext
from naftiko.authoring.migration.versions import NEWEST

AUTH = ("none", "bearer", "basic", "apikey", "digest")
EXPOSE = ("rest", "mcp", "skill", "control")
BASE_URI = "https://api.example.com/v1"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new capability is to be. `name` is a kebab-case name; `expose` are some of `EXPOSE`."""

    name: str
    base_uri: str = BASE_URI
    auth: str = "none"
    expose: Sequence[str] = ("rest", "mcp")

    @property
    def namespace(self) -> str:
        """The consumed namespace; `env` is that of the variables."""
        return "env-api" if self.name == "env" else self.name

    @property
    def title(self) -> str:
        return " ".join(word.capitalize() for word in naming.words(self.name)) or self.name

    def variables(self) -> dict[str, str]:
        """The variables that it reads, and what each is."""
        match self.auth:
            case "bearer":
                return {naming.variable(self.name, "token"): "The access token of the API"}
            case "apikey":
                return {naming.variable(self.name, "api_key"): "The key of the API"}
            case "basic" | "digest":
                user, password = naming.variable(self.name, "username"), naming.variable(self.name, "password")
                return {user: "The user at the API", password: "The user's password"}
        return {}


def files(wish: Wish, today: datetime.date) -> dict[str, str]:
    """The files of a new capability, by their paths: it, a file for its variables, and what to do with them."""
    found = {f"{wish.name}.yaml": capability(wish, today), "README.md": _readme(wish)}
    if wish.variables():
        found[".env.example"] = _environment(wish)
    return found


def capability(wish: Wish, today: datetime.date) -> str:
    """The text of the capability."""
    parts = [
        f"# {wish.title}: what it consumes, and what it exposes of that.\n"
        f"#   naftiko validate {wish.name}.yaml          says what is wrong with it\n"
        f"#   naftiko run {wish.name}.yaml --sandbox     serves it with stand-ins in the API's place\n"
        f"ikanos: {NEWEST}\n"
        f"info:\n"
        f"  display: {_word(wish.title)}\n"
        f"  description: What {wish.title} is for, in a sentence # agents and people choose by it\n"
        f"  tags: [{_word(wish.name)}]\n"
        f'  created: "{today.isoformat()}"\n'
        f'  modified: "{today.isoformat()}"\n',
        _binds(wish),
        "capability:\n",
        _consumes(wish),
        "  exposes:\n",
        *(_ADAPTERS[kind](wish) for kind in EXPOSE if kind in wish.expose),
    ]
    return "".join(parts)


def _binds(wish: Wish) -> str:
    if not wish.variables():
        return ""
    keys = "".join(f"    {name}: {name} # {about}\n" for name, about in wish.variables().items())
    return (
        "binds:\n"
        "# Credentials are variables: set them in the environment, or with --env-file .env\n"
        "- namespace: env\n"
        "  description: What the API asks for\n"
        "  keys:\n"
        f"{keys}"
    )


def _authentication(wish: Wish) -> str:
    names = [f'"{{{{env.{name}}}}}"' for name in wish.variables()]
    match wish.auth:
        case "bearer":
            return f"    authentication: {{type: bearer, token: {names[0]}}}\n"
        case "apikey":
            return (
                f"    authentication: {{type: apikey, key: X-Api-Key, value: {names[0]}, placement: header}}"
                " # or placement: query\n"
            )
        case "basic" | "digest":
            return f"    authentication: {{type: {wish.auth}, username: {names[0]}, password: {names[1]}}}\n"
    return ""


def _consumes(wish: Wish) -> str:
    return (
        _text(
            f"""
          consumes:
          - type: http
            namespace: {_word(wish.namespace)}
            description: The API behind it
            baseUri: {wish.base_uri}
        """
        )
        + _authentication(wish)
        + _text(
            """
            resources: # the paths of the API that are used, with what can be done there
              items:
                path: /items
                description: All items
                operations:
                  list-items:
                    method: GET
                    description: Items, a page at a time
                    inputParameters:
                      limit: {in: query}
                  create-item:
                    method: POST
                    description: Makes an item
                    inputParameters: # each a member of the JSON body
                      name: {in: body}
                      count: {in: body}
              item:
                path: /items/{{id}} # what is in braces is an input, and required
                description: One item
                operations:
                  get-item: {method: GET, description: An item by its id}
        """,
            indent=4,
        )
    )


def _rest(wish: Wish) -> str:
    return _text(
        f"""
          - type: rest # http://127.0.0.1:8080/items
            namespace: {wish.name}-rest
            port: 8080
            resources:
              items:
                path: /items
                description: All items
                operations:
                  list-items:
                    method: GET
                    description: Items, a page at a time
                    call: {wish.namespace}.list-items
                    inputParameters:
                      limit: {{in: query, type: integer, description: The most items of a page}}
                  create-item:
                    method: POST
                    description: Makes an item
                    call: {wish.namespace}.create-item
                    inputParameters:
                      name: {{in: body, type: string, description: What it is called}}
                      count: {{in: body, type: integer, description: How many there are}}
              item:
                path: /items/{{id}}
                description: One item
                operations:
                  get-item:
                    method: GET
                    description: An item by its id
                    call: {wish.namespace}.get-item
                    inputParameters:
                      id: {{in: path, type: string, description: Its id}}
        """
    )


def _mcp(wish: Wish) -> str:
    return _text(
        f"""
          - type: mcp # http://127.0.0.1:9090/mcp
            namespace: {wish.name}-mcp
            port: 9090
            description: What agents can do with {wish.title}
            tools:
              list-items:
                description: Items, a page at a time
                call: {wish.namespace}.list-items
                hints: {{readOnly: true}}
                inputParameters:
                  limit: {{type: integer, description: The most items of a page, required: false}}
              create-item:
                description: Makes an item
                call: {wish.namespace}.create-item
                hints: {{readOnly: false, destructive: false}}
                inputParameters:
                  name: {{type: string, description: What it is called}}
                  count: {{type: integer, description: How many there are, required: false}}
              get-item:
                description: An item by its id
                call: {wish.namespace}.get-item
                hints: {{readOnly: true}}
                inputParameters:
                  id: {{type: string, description: Its id}}
                outputParameters: # only what is named here is answered; without it, all there is
                - type: object
                  properties:
                    id: {{type: string, mapping: $.id}}
                    name: {{type: string, mapping: $.name}}
        """
    )


def _skill(wish: Wish) -> str:
    kind = "mcp" if "mcp" in wish.expose else "rest"
    return _text(
        f"""
          - type: skill # http://127.0.0.1:4000/skills
            namespace: {wish.name}-skills
            port: 4000
            description: When to use which of the tools
            skills:
              {wish.name}-desk:
                description: Answers questions about items # an agent reads it to know when to use the skill
                tools:
                  list: {{description: Finds items, from: {{sourceNamespace: {wish.name}-{kind}, action: list-items}}}}
                  get: {{description: Reads one, from: {{sourceNamespace: {wish.name}-{kind}, action: get-item}}}}
        """
    )


def _control(wish: Wish) -> str:
    return _text(
        f"""
          - type: control # http://127.0.0.1:9990/health/ready, /status, /metrics
            namespace: {wish.name}-control
            port: 9990
            management: {{info: true}}
        """
    )


_ADAPTERS = {"rest": _rest, "mcp": _mcp, "skill": _skill, "control": _control}


def _word(text: str) -> str:
    """A text as YAML has it: in quotes where it would be a number, a truth, or nothing."""
    return text if yamltext.is_text(text) else f'"{text}"'


def _text(block: str, indent: int = 2) -> str:
    """A block of the file, so many columns from the left."""
    return textwrap.indent(textwrap.dedent(block).strip() + "\n", " " * indent)


def _environment(wish: Wish) -> str:
    lines = [f"# {about}\n{name}=\n" for name, about in wish.variables().items()]
    return "# Copy this to .env, and fill it in; .env is nobody's but yours.\n" + "".join(lines)


def _readme(wish: Wish) -> str:
    file = f"{wish.name}.yaml"
    env = " --env-file .env" if wish.variables() else ""
    steps = [f"# {wish.title}", f"A capability for `naftiko`, in `{file}`.", "```sh"]
    steps += [f"naftiko validate {file}            # what is wrong with it, and what to change"]
    steps += [f"naftiko run {file} --sandbox       # serve it; stand-ins answer in the API's place"]
    steps += [f"naftiko call {file} get-item id=7 --sandbox"]
    steps += [f"naftiko run {file}{env}{' ' * max(1, 16 - len(env))}# serve it for real", "```"]
    if wish.variables():
        steps += [
            "Copy `.env.example` to `.env` and fill it in first: it has credentials, and goes into no repository."
        ]
    if "mcp" in wish.expose:
        steps += [f"`naftiko mcp config {file}` prints what an MCP client needs to use it."]
    head, *rest = steps
    body = "\n".join(rest).replace("```sh\n", "\n```sh\n", 1).replace("\n```\n", "\n```\n\n", 1)
    return f"{head}\n\n{body}\n"
