"""What `deploy/` has, checked without an engine of containers: schemas, consistency, and a ConfigMap that changes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import compose_spec
import httpx
import kubernetes_validate
import pytest
import yaml

from gateways import event, gateway
from support import ROOT, TLS

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(file for file in (DEPLOY / "kubernetes").glob("*.yaml") if file.name != "kustomization.yaml")


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_are_as_kubernetes_has_them(file: Path) -> None:
    for document in yaml.safe_load_all(file.read_text()):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_kustomize_names_what_is_there() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert sorted(kustomization["resources"]) == [file.name for file in MANIFESTS]
    for made in kustomization["configMapGenerator"]:
        for name in made["files"]:
            assert (DEPLOY / "kubernetes" / name).is_file()
    own = DEPLOY / "kubernetes" / "capabilities" / "mock-first.yaml"
    assert own.read_text() == (ROOT / "capabilities" / "mock-first.yaml").read_text()


def test_pods_are_restricted() -> None:
    """What the namespace enforces (Kubernetes, Pod Security Standards, restricted), and what the engine needs."""
    pod = yaml.safe_load((DEPLOY / "kubernetes" / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["terminationGracePeriodSeconds"] >= 5 + 10 + 5, "the pause, the calls in flight, and some"
    assert "latest" in container["image"]


def test_compose_is_as_its_specification_has_it() -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    compose_spec.ComposeSpecification.model_validate(document)
    assert document["services"]["naftiko"]["read_only"] is True
    for service in document["services"].values():
        for volume in service.get("volumes", ()):
            assert (DEPLOY / volume.partition(":")[0]).exists()


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def test_the_dockerfile_copies_what_is_there() -> None:
    found = instructions()
    assert [name for name, _ in found].count("FROM") == 2
    for name, words in found:
        if name == "COPY" and not words.startswith("--from"):
            assert all((ROOT / word).exists() for word in words.split()[:-1])
    assert ("USER", "10001:10001") in found
    assert any(name == "HEALTHCHECK" and '"naftiko", "health"' in words for name, words in found)


@pytest.mark.skipif("NAFTIKO_DEPLOY" not in os.environ, reason="NAFTIKO_DEPLOY=1 carries the Dockerfile's steps out")
def test_the_dockerfile_works_as_a_script(tmp_path: Path) -> None:
    """The steps of the first stage, and the command of the second, in a folder of their own."""
    source, opt = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for name, words in instructions():
        if name == "COPY" and not words.startswith("--from"):
            *sources, target = words.split()
            for word in sources:
                place = source / target / (word if (ROOT / word).is_file() else "")
                if (ROOT / word).is_dir():
                    shutil.copytree(ROOT / word, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / word, place)
        elif name == "RUN" and "useradd" not in words:
            step = words.replace("/opt/naftiko", str(opt)).replace("python -m venv", "python3 -m venv")
            subprocess.run(step, shell=True, cwd=source, check=True, timeout=600)
    words = next(shlex.split(words.strip("[]").replace(",", " ")) for name, words in instructions() if name == "CMD")
    out = subprocess.run(
        [str(opt / "bin" / "naftiko"), "validate", str(source / "capabilities")], capture_output=True, check=False
    )
    assert out.returncode == 0, out.stderr
    assert words[:2] == ["run", "/capabilities"]
    assert (next(opt.rglob("naftiko/capabilities/steps.yaml"))).is_file(), "examples are in the package"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_as_systemd_has_it(tmp_path: Path) -> None:
    text = (DEPLOY / "naftiko.service").read_text().replace("/opt/naftiko/bin/naftiko", "/bin/true")
    unit = tmp_path / "naftiko.service"
    unit.write_text(text)
    out = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "naftiko.service" not in out.stderr, out.stderr


async def test_a_config_map_that_changes(tmp_path: Path) -> None:
    """Kubernetes swaps a link to a hidden folder; the files are links into it."""

    def version(number: int) -> None:
        folder = tmp_path / f"..{number}"
        folder.mkdir()
        text = (ROOT / "capabilities" / "mock-first.yaml").read_text().replace("Ada Byron", f"Reader {number}")
        (folder / "library.yaml").write_text(text)
        link = tmp_path / "..data.new"
        link.symlink_to(folder.name)
        link.replace(tmp_path / "..data")

    version(1)
    (tmp_path / "library.yaml").symlink_to("..data/library.yaml")
    async with gateway(str(tmp_path)) as (served, _), httpx.AsyncClient(verify=TLS) as client:
        url = f"{served.urls['library-rest']}/loans/1"
        assert (await client.get(url)).json()["reader"] == "Reader 1"
        version(2)
        await event(served, "changed")
        assert (await client.get(url)).json()["reader"] == "Reader 2"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in kinds)
    text = (DEPLOY / "nginx.conf").read_text().replace("naftiko:", "127.0.0.1:")
    text = text.replace("http {", f"http {{ access_log off; {places}", 1)
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/nginx.pid; error_log stderr;\n{text}")
    words = ["nginx", "-t", "-c", str(file), "-p", str(tmp_path)]
    out = subprocess.run(words, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
