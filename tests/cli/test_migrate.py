"""`naftiko migrate`: what is printed, what is written, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import command

OLD = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
    - {import: registry, location: ./shared/registry.yaml}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - name: get-ship   # one ship
          description: A ship
          call: registry.get-ship
"""
SHARED = """\
naftiko: 1.0.0-alpha2
consumes:
  - namespace: registry
    type: http
    baseUri: https://registry.example
    resources:
      - name: ships
        path: /ships
        operations:
          - name: get-ship
            method: GET
"""
SINGLE = OLD.replace("call: registry.get-ship", "outputParameters: [{name: only, type: string, value: x}]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "fleet.yaml").write_text(OLD)
    (tmp_path / "shared" / "registry.yaml").write_text(SHARED)
    return tmp_path


async def test_one_file_is_printed(folder: Path) -> None:
    status, out, err = await command("migrate", str(folder / "fleet.yaml"))
    assert (status, err) == (0, "")
    assert out.startswith("ikanos: 1.0.0-beta7\n")
    assert "get-ship:   # one ship\n" in out
    assert (folder / "fleet.yaml").read_text() == OLD


async def test_a_difference_is_shown_and_nothing_written(folder: Path) -> None:
    status, out, err = await command("migrate", str(folder / "fleet.yaml"), "--diff")
    assert status == 0
    assert "-naftiko: 1.0.0-alpha2\n+ikanos: 1.0.0-beta7\n" in out
    assert out.count("+++ ") == 2, "what it imports from is shown, too"
    assert "2 of 2 files would be moved to 1.0.0-beta7" in err
    assert (folder / "fleet.yaml").read_text() == OLD


async def test_files_are_changed_in_place_once(folder: Path) -> None:
    (folder / "fleet.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to(folder / "fleet.yaml")
    status, _, err = await command("migrate", str(folder), "--write")
    assert (status, "2 of 2 files moved to 1.0.0-beta7" in err) == (0, True), err
    assert (folder / "shared" / "registry.yaml").read_text().startswith("ikanos: 1.0.0-beta7\nconsumes:\n")
    assert (folder / "fleet.yaml").stat().st_mode & 0o777 == 0o640
    assert (folder / "link.yaml").is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == ["fleet.yaml", "link.yaml", "shared"]
    status, _, err = await command("migrate", str(folder), "--write")
    assert (status, "0 of 2 files moved to 1.0.0-beta7, 2 already there" in err) == (0, True), err
    status, out, _ = await command("validate", str(folder / "fleet.yaml"))
    assert (status, "nothing to report" in out) == (0, True), out


async def test_new_files_stand_beside_each_other_as_the_old_ones(folder: Path) -> None:
    out = folder / "new"
    status, _, err = await command("migrate", str(folder / "fleet.yaml"), "--output", str(out))
    assert status == 0, err
    assert (out / "fleet.yaml").read_text().startswith("ikanos:")
    assert (out / "shared" / "registry.yaml").read_text().startswith("ikanos:")
    assert (folder / "fleet.yaml").read_text() == OLD
    status, _, err = await command("migrate", str(folder / "fleet.yaml"), "--output", str(out))
    assert (status, "are there already; --force overwrites" in err) == (2, True), err
    status, _, err = await command("migrate", str(folder / "fleet.yaml"), "--output", str(out), "--force")
    assert status == 0, err


async def test_what_cannot_be_carried_over_is_told_by_place(folder: Path) -> None:
    (folder / "fleet.yaml").write_text(SINGLE)
    status, out, err = await command("migrate", str(folder / "fleet.yaml"))
    assert status == 1
    assert "fleet.yaml:12:" in err
    assert "warning[migration-left]: the only output is the whole answer" in err
    assert "outputParameters: [{name: only" in out


async def test_it_is_told_what_is_wrong(folder: Path) -> None:
    (folder / "broken.yaml").write_text("naftiko: [")
    cases = {
        ("migrate", str(folder / "nothing.yaml")): "does not exist",
        ("migrate", str(folder / "fleet.yaml"), "--to", "1.0.0-beta8"): "did you mean `1.0.0-beta7`?",
        ("migrate", str(folder / "fleet.yaml"), "--to", "0.4"): "valid: 1.0.0-alpha2",
        ("migrate", str(folder / "fleet.yaml"), "--diff", "--write"): "only one of --diff",
        ("migrate", str(folder / "shared"), "--output", "/dev/null/x"): "cannot be written",
    }
    for arguments, wanted in cases.items():
        status, out, err = await command(*arguments)
        assert (status, out) == (2, ""), (arguments, out, err)
        assert wanted in err, (arguments, err)
        assert "Traceback" not in err
    status, out, err = await command("migrate", str(folder / "broken.yaml"))
    assert (status, out) == (2, "")
    assert "error[yaml-syntax]" in err
