"""``botocore-ext exec``: run a program with credentials that refresh, whatever SDK it uses."""

import argparse
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.session import Session

from ..aws.frozen_credentials import FrozenCredentials
from ..profiles.inert import AWS_KEYS
from ..system import system_environment
from .child import run_child
from .endpoint import serve
from .lookup import add_profile, look_up, show_seconds

#: Variables with credentials, or that lead an SDK to some, before it asks the endpoint.
_NOT_INHERITED = {
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_DEFAULT_PROFILE", "AWS_PROFILE",
    "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE",
}  # fmt: skip
#: A bearer token, for Bedrock for example, is used in the place of credentials.
_BEARER_TOKEN = "AWS_BEARER_TOKEN_"  # noqa: S105 - the beginning of a name
#: Settings of AWS that select credentials. The program gets the others, such as the region.
_CREDENTIALS = {
    "aws_access_key_id", "aws_account_id", "aws_secret_access_key", "aws_session_token",
    "credential_process", "credential_source", "duration_seconds", "external_id", "login_session",
    "mfa_serial", "role_arn", "role_session_name", "source_profile", "sso_account_id",
    "sso_region", "sso_registration_scopes", "sso_role_name", "sso_session", "sso_start_url",
    "web_identity_token_file",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command; what follows ``--`` is the program."""
    parser.usage = "%(prog)s [-h] [--profile NAME] [NAME] -- COMMAND [ARGUMENT ...]"
    add_profile(parser)
    parser.set_defaults(command=[])


def run(arguments: argparse.Namespace) -> int:
    """Run the program with the credentials of the profile, and return its exit status."""
    with show_seconds():
        found = look_up(Session(profile=arguments.profile))
        first = found.frozen()  # without credentials the program is not started
    with tempfile.TemporaryDirectory(prefix="botocore-ext-") as name:
        directory = Path(name)
        environment = _environment(found.session, directory)
        if first.token is None:
            return run_child(arguments.command, {**environment, **_long_term(first)})
        token = secrets.token_urlsafe(32)
        token_file = directory / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(token, encoding="utf-8")
        with serve(found.frozen, token) as url:
            endpoint = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file),
            }
            return run_child(arguments.command, {**environment, **endpoint})


def _long_term(credentials: FrozenCredentials) -> dict[str, str]:
    """Return the variables of credentials without a session token, which never change.

    SDKs require a session token of an endpoint, and some send an empty one.
    """
    account = credentials.account_id
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        **({"AWS_ACCOUNT_ID": account} if account else {}),
    }


def _environment(session: Session, directory: Path) -> dict[str, str]:
    """Return the environment of the program, in which nothing but the endpoint has credentials.

    SDKs prefer credentials in the AWS files to an endpoint. So the program gets files of its own,
    with one profile: ``[default]`` has the settings of the profile that do not select credentials.
    """
    inherited = system_environment()
    environment = {
        name: value
        for name, value in inherited.items()
        if name not in _NOT_INHERITED and not name.startswith(_BEARER_TOKEN)
    }
    config, credentials = directory / "config", directory / "credentials"
    config.write_text(_config(session), encoding="utf-8")
    credentials.touch()
    environment |= {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CREDENTIAL_PROFILES_FILE": str(credentials),  # the SDK for Java, version 1
        "BOTO_CONFIG": os.devnull,
        # An SDK that goes on when the endpoint fails must not become the instance.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    region = session.get_config_variable("region")
    if region:
        environment.setdefault("AWS_REGION", region)
        environment.setdefault("AWS_DEFAULT_REGION", region)
    # HTTP clients that use a proxy for this machine would send it the token.
    direct = inherited.get("no_proxy") or inherited.get("NO_PROXY")
    if direct != "*":
        environment["no_proxy"] = environment["NO_PROXY"] = ",".join(
            filter(None, [direct, "127.0.0.1"])
        )
    return environment


def _config(session: Session) -> str:
    """Return a config file with the settings of the profile that do not select credentials."""
    settings = session.get_scoped_config()
    known = {key: settings[key] for key in settings.keys() & AWS_KEYS - _CREDENTIALS}
    text = f"[default]\n{_lines(known)}"
    services = session.full_config.get("services", {}).get(known.get("services"))
    return f"{text}[services {known['services']}]\n{_lines(services)}" if services else text


def _lines(settings: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for key, value in sorted(settings.items()):
        if isinstance(value, Mapping):
            lines += [f"{key} =", *(f"  {name} = {one}" for name, one in value.items())]
        else:
            lines.append(f"{key} = {value}".replace("\n", "\n  "))
    return "".join(f"{line}\n" for line in lines)
