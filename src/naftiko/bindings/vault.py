"""Secrets of HashiCorp Vault and OpenBao: the key-value engines, version 1 and 2 (their HTTP API)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from naftiko.bindings.lookup import SECONDS, Lookup, flattened, library
from naftiko.errors import BindingError

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def read_vault(location: str, directory: Path, lookup: Lookup) -> Mapping[str, str]:
    """The keys of `vault://NAME/MOUNT/PATH`, or `vault:///MOUNT/PATH`, in the vault at `VAULT_ADDR`.

    Who asks is told by `VAULT_TOKEN`, `VAULT_ROLE_ID` with `VAULT_SECRET_ID` (AppRole), or `VAULT_K8S_ROLE` (with the
    token that Kubernetes mounts, or the one in `VAULT_K8S_TOKEN_FILE`), in this order; then by `~/.vault-token`.
    `VAULT_NAMESPACE` and `VAULT_CACERT` are as the vault's own command has them.

    Raises:
        BindingError: it cannot be read.
    """
    hvac = library("hvac", "vault", location)
    host, _, path = location.partition("://")[2].partition("/")
    address = _address(host, location, lookup)
    if not path.strip("/"):
        raise BindingError(f"{location} names no secret; write `vault:///MOUNT/PATH`")
    client = hvac.Client(
        url=address,
        token="",
        timeout=SECONDS,
        namespace=lookup("VAULT_NAMESPACE"),
        verify=lookup("VAULT_CACERT") or True,
        allow_redirects=False,
    )
    try:
        _login(client, location, lookup)
        return flattened(_read(client, path.strip("/"), location))
    except BindingError:
        raise
    except hvac.exceptions.Forbidden as error:
        raise BindingError(f"{location} cannot be read: {address} does not let us") from error
    except hvac.exceptions.VaultError as error:
        raise BindingError(f"{location} cannot be read: {address} answered {type(error).__name__}") from error
    except Exception as error:  # whatever a client of HTTP raises; its text may hold what was sent
        raise BindingError(f"{location} cannot be read: {address} cannot be reached") from error


def _address(host: str, location: str, lookup: Lookup) -> str:
    """Where the vault is, which `VAULT_ADDR` alone says: a file must not choose who is shown our token."""
    if "@" in host:
        raise BindingError("a `vault://` location holds no credentials; they come from the environment")
    address = (lookup("VAULT_ADDR") or "").rstrip("/")
    if not address:
        raise BindingError(f"{location} cannot be read: set VAULT_ADDR to the address of the vault")
    place = urlsplit(address).netloc.rpartition("@")[2]
    if ("." in host or ":" in host) and host.lower() not in (place.lower(), place.partition(":")[0].lower()):
        raise BindingError(f"{location} is in another vault than VAULT_ADDR says, and no token is sent there")
    return address


def _login(client: Any, location: str, lookup: Lookup) -> None:
    token, role, kubernetes = lookup("VAULT_TOKEN"), lookup("VAULT_ROLE_ID"), lookup("VAULT_K8S_ROLE")
    if token:
        client.token = token
    elif role:
        client.auth.approle.login(role_id=role, secret_id=lookup("VAULT_SECRET_ID"))
    elif kubernetes:
        file = lookup("VAULT_K8S_TOKEN_FILE") or _SERVICE_ACCOUNT
        client.auth.kubernetes.login(role=kubernetes, jwt=_text(file, location))
    else:
        file = str(Path.home() / ".vault-token")
        if not Path(file).is_file():
            raise BindingError(
                f"{location} cannot be read: set VAULT_TOKEN, VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_K8S_ROLE"
            )
        client.token = _text(file, location)


def _text(file: str, location: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BindingError(f"{location} cannot be read: the token in {file} cannot be read") from error


def _read(client: Any, path: str, location: str) -> Mapping[str, object]:
    """A secret's data. The second version of the engine has `data/` in its paths, which may be left out."""
    mount, _, rest = path.partition("/")
    if not rest.startswith("data/"):
        about = client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}", raise_exception=False)
        told = about.get("data") if isinstance(about, dict) else None
        options = told.get("options") if isinstance(told, dict) else None
        if isinstance(told, dict) and isinstance(options, dict) and options.get("version") == "2":
            mount = str(told.get("path") or mount).strip("/")
            path = f"{mount}/data/{path.removeprefix(mount).strip('/')}"
    answer = client.read(path)
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, dict) and isinstance(data.get("metadata"), dict) and "data" in data:
        data = data["data"]
    if not isinstance(data, dict):
        raise BindingError(f"{location} cannot be read: there is no such secret")
    return data
