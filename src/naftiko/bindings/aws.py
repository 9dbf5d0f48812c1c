"""Secrets of AWS Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from naftiko.bindings.lookup import SECONDS, Lookup, flattened, library
from naftiko.errors import BindingError


def read_secrets_manager(location: str, directory: Path, lookup: Lookup) -> Mapping[str, str]:
    """The keys of `aws-sm://REGION/NAME`, or `aws-sm:///NAME` in the region that the environment names.

    A secret that is a JSON object has its members as keys; any other has one, `value`. Who asks is told as AWS' own
    tools are told (environment, profile, role of the machine); `AWS_ENDPOINT_URL_SECRETS_MANAGER` leads elsewhere.

    Raises:
        BindingError: it cannot be read.
    """
    session = library("botocore.session", "aws", location)
    config = library("botocore.config", "aws", location)
    region, _, name = location.partition("://")[2].partition("/")
    region = region or lookup("AWS_REGION") or lookup("AWS_DEFAULT_REGION") or ""
    if not name:
        raise BindingError(f"{location} names no secret; write `aws-sm://REGION/NAME`")
    if not region:
        raise BindingError(f"{location} names no region; set AWS_REGION, or write `aws-sm://REGION/NAME`")
    bounds = config.Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})
    try:
        client = session.Session().create_client(
            "secretsmanager",
            region_name=region,
            aws_access_key_id=lookup("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=lookup("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=lookup("AWS_SESSION_TOKEN"),
            endpoint_url=lookup("AWS_ENDPOINT_URL_SECRETS_MANAGER") or lookup("AWS_ENDPOINT_URL"),
            config=bounds,
        )
        text = client.get_secret_value(SecretId=name).get("SecretString")
    except Exception as error:  # botocore's errors are made at run time, and their texts may hold what was sent
        answer = getattr(error, "response", None)
        code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else type(error).__name__
        raise BindingError(f"{location} cannot be read: {code}") from error
    if text is None:
        raise BindingError(f"{location} is binary, and no text")
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    return flattened(data) if isinstance(data, dict) else {"value": text}
