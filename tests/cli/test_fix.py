"""`naftiko fix`: what findings know is written, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

from naftiko.authoring.migration.same import difference
from naftiko.document.source import Source
from naftiko.runtime.loading import compiled
from naftiko.validation.fixing import fix
from support import command

SPELLED = """\
naftiko: 1.0.0-alpha2
info:
  title: Shop   # as OpenAPI says
  description: d
capability:
  consumes:
    - namespace: shop
      type: http
      baseUri: https://shop.example
      authentication: {type: apiKey, in: header, name: X-Key, value: "{{KEY}}"}
      resources:
        - name: widgets
          path: /widgets/{{id}}
          operations:
            - id: get-widget
              method: get
              inputParameters:
                - name: id   # which
                - {name: größe, type: int}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - {name: get-widget, description: One, call: shop.get-widget}
"""

MENDED = """\
naftiko: 1.0.0-alpha2
info:
  label: Shop   # as OpenAPI says
  description: d
capability:
  consumes:
    - namespace: shop
      type: http
      baseUri: https://shop.example
      authentication: {type: apikey, placement: header, key: X-Key, value: "{{KEY}}"}
      resources:
        - name: widgets
          path: /widgets/{{id}}
          operations:
            - name: get-widget
              method: GET
              inputParameters:
                - name: id   # which
                  in: path
                - {name: größe, in: query, type: integer}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - {name: get-widget, description: One, call: shop.get-widget}
"""

MISTYPED = MENDED.replace("call: shop.get-widget", "call: shp.get-wigdet").replace("description: d", "descriptoin: d")


async def test_spellings_are_written_as_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SPELLED, encoding="utf-8")
    status, out, err = await command("fix", str(file), "--diff")
    assert (status, "+              method: GET\n" in out) == (0, True), out + err
    assert file.read_text(encoding="utf-8") == SPELLED
    status, out, err = await command("fix", str(tmp_path))
    assert (status, out) == (0, "")
    assert "mended in 1 of 1 file" in err
    assert file.read_text(encoding="utf-8") == MENDED
    status, out, err = await command("fix", str(tmp_path))
    assert "0 findings mended in 0 of 1 file" in err


async def test_guesses_are_written_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(MISTYPED, encoding="utf-8")
    status, _, err = await command("fix", str(file))
    assert (status, "more could be guessed (--unsafe)" in err) == (0, True), err
    assert file.read_text(encoding="utf-8") == MISTYPED
    status, _, err = await command("fix", str(file), "--unsafe")
    assert status == 0, err
    assert file.read_text(encoding="utf-8") == MENDED


def test_safe_ones_leave_the_plan_as_it_is() -> None:
    source = Source("shop.yaml", SPELLED.encode(), Path())
    fixed = fix(source)
    after = Source("shop.yaml", fixed.after.encode(), Path())
    assert difference(compiled(source).plan, compiled(after).plan) is None
    assert fix(after).after == fixed.after


async def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("naftiko: [")
    status, out, err = await command("fix", str(tmp_path / "broken.yaml"))
    assert (status, "0 findings mended" in err) == (0, True), err
    status, out, err = await command("fix", str(tmp_path / "nothing.yaml"))
    assert (status, out, "does not exist" in err) == (2, "", True), err
