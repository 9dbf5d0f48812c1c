"""One request sent by a capability, for tests."""

from __future__ import annotations

from pathlib import Path

from support import Upstream, capability, opened

ROUTE = capability(
    """
    - type: http
      namespace: api
      baseUri: http://upstream.invalid
      resources:
      - name: things
        path: /teams/{team_gid}/things
        operations:
        - name: update
          method: PATCH
          inputParameters:
          - {name: limit, in: query, type: integer}
          - {name: X-Trace, in: header}
          - {name: Authorization, in: header}
          - {name: title, in: body, type: string}
          - {name: tags, in: body, type: array}
    """,
    """
    - type: rest
      namespace: web
      port: 8080
      resources:
      - path: /v1/teams/{team-gid}/things
        operations:
        - {method: PUT, name: update, call: api.update}
    """,
)


def query(*parameters: str) -> str:
    listed = "\n".join(f"- {parameter}" for parameter in parameters)
    return "method: GET\ninputParameters:\n" + listed


async def send(folder: Path, recorder: Upstream, text: str, inputs: dict, environment: dict | None = None, **settings):
    async with opened(folder, text, recorder, environment, **settings) as runtime:
        await runtime.call("do", inputs)
    return recorder.last
