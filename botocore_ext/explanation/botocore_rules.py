"""What botocore's own providers read, when they are configured, and what to do if one fails.

botocore does not say why a provider returned nothing. The reasons given here are public facts:
variables, settings of the profile, and whether files exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..profiles.registry import profile_key
from ..profiles.selection import selecting_keys
from ..providers.process import REMEDY
from ..system import why_no_file
from .values import host_of, printable
from .view import View

#: Settings, and arguments of a session, that are credentials themselves.
CREDENTIAL_SETTINGS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_CONTAINER_URIS = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
#: What a profile and its ``sso-session`` section must set together.
_SSO_KEYS = ("sso_start_url", "sso_region", "sso_account_id", "sso_role_name")
#: Where boto 2 had its configuration.
_BOTO = "/etc/boto.cfg or ~/.boto"


# Why a provider is not configured; each function returns None if it is.


def _lacks(view: View, *keys: str) -> str:
    return f"profile '{view.profile}' has no {' or '.join(keys)}"


def _environment(view: View) -> str | None:
    if view.environ.get("AWS_ACCESS_KEY_ID"):
        return None
    state = "empty" if "AWS_ACCESS_KEY_ID" in view.environ else "not set"
    if view.environ.get("AWS_SECRET_ACCESS_KEY"):
        return f"AWS_ACCESS_KEY_ID is {state}, but AWS_SECRET_ACCESS_KEY is set: set both"
    return f"AWS_ACCESS_KEY_ID is {state}"


def _role(view: View) -> str | None:
    if "role_arn" not in view.values:
        return _lacks(view, "role_arn")
    if "web_identity_token_file" in view.values:
        return "role_arn belongs to web_identity_token_file in this profile"
    return None


def role_with_ours(view: View) -> str | None:
    """Return why ``assume-role`` is not configured in a chain with this package's providers."""
    ours = [key for _, key in selecting_keys(view.values)]
    has_source = {"source_profile", "credential_source"} & view.values.keys()
    whole = profile_key(view.values)
    if "role_arn" in view.values and (whole or (ours and not has_source)):
        return f"role_arn belongs to {whole or ours[0]} in this profile"
    return _role(view)


def _web_identity(view: View) -> str | None:
    if view.values.get("web_identity_token_file"):
        return None
    name = "AWS_WEB_IDENTITY_TOKEN_FILE"
    if not view.environ.get(name):
        return f"neither {name} nor web_identity_token_file is set"
    if view.is_explicit:
        return f"{name} is set, but botocore ignores it because the caller names a profile"
    return None


def _sso(view: View) -> str | None:
    if {"sso_account_id", "sso_role_name"} & view.values.keys():
        return None
    others = [key for key in ("sso_session", "sso_start_url") if key in view.values]
    if others:
        return f"{others[0]} is set, but neither sso_account_id nor sso_role_name is: add both"
    return _lacks(view, "sso_account_id", "sso_role_name")


def _credentials_file(view: View) -> str | None:
    absence = why_no_file(view.credentials_file)
    if absence:
        return f"{view.credentials_file} {absence}"
    if view.in_credentials is None:
        return f"{view.credentials_file} has no section [{view.profile}]"
    if "aws_access_key_id" in view.in_credentials:
        return None
    return f"section [{view.profile}] of {view.credentials_file} has no aws_access_key_id"


def _config_file(view: View) -> str | None:
    absence = why_no_file(view.config_file)
    if absence:
        return f"{view.config_file} {absence}"
    if "aws_access_key_id" in view.in_config:
        return None
    return f"profile '{view.profile}' of {view.config_file} has no aws_access_key_id"


def _container(view: View) -> str | None:
    if any(name in view.environ for name in _CONTAINER_URIS):
        return None
    return f"neither {' nor '.join(_CONTAINER_URIS)} is set"


def _instance(view: View) -> str | None:
    is_disabled = view.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    return "AWS_EC2_METADATA_DISABLED is true" if is_disabled else None


def _key(name: str) -> Callable[[View], str | None]:
    return lambda view: None if name in view.values else _lacks(view, name)


# What is wrong in the settings of a provider that is configured; None if nothing is.


def _web_identity_problem(view: View) -> str | None:
    by_variable = None if view.is_explicit else view.environ.get("AWS_ROLE_ARN")
    if by_variable or view.values.get("role_arn"):
        return None
    fact = "is configured without a role: set AWS_ROLE_ARN, or role_arn in the profile"
    return f"{_token_file(view)} {fact}"


def _sso_problem(view: View) -> str | None:
    name, sections = view.values.get("sso_session"), view.session.full_config["sso_sessions"]
    if name is not None and name not in sections:
        return (
            f"[sso-session {printable(name)}] is not in {view.config_file}: add it with `aws "
            "configure sso`, or correct sso_session"
        )
    section = sections.get(name, {})
    for key in section.keys() & view.values.keys():
        if section[key] != view.values[key]:
            return f"{key} is not the same as in [sso-session {name}]: remove one of them"
    known = {**section, **view.values}
    missing = [key for key in _SSO_KEYS if key not in known]
    if missing:
        return f"{_lacks(view, *missing)}: run `aws configure sso --profile {view.profile}`"
    return None


def _process_problem(view: View) -> str | None:
    if str(view.values["credential_process"]).strip():
        return None
    source = f"credential_process of profile '{view.profile}'"
    return f"{source} is empty: write the command, or remove the setting"


# Where the credentials of a provider come from.


def _container_host(view: View) -> str:
    if _CONTAINER_URIS[0] in view.environ:
        return "169.254.170.2"
    return host_of(view.environ.get(_CONTAINER_URIS[1], ""))


def _instance_host(view: View) -> str:
    endpoint = view.session.get_config_variable("ec2_metadata_service_endpoint")
    return host_of(str(endpoint or "http://169.254.169.254"))


def _token_file(view: View) -> str:
    by_profile = view.values.get("web_identity_token_file")
    path = view.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") if not view.is_explicit else None
    return f"the token file {path or by_profile}"


def _log_in(command: str) -> Callable[[View], str]:
    return lambda view: f"log in with `aws {command} --profile {view.profile}`"


# The rules.


@dataclass(frozen=True)
class Rule:
    """The facts about one of botocore's providers."""

    #: Returns why it is not configured; None if it is.
    reason_not_configured: Callable[[View], str | None] = lambda _: None
    #: Where its credentials come from, and what to do if that fails, for an error.
    source: Callable[[View], str] = lambda _: ""
    remedy: Callable[[View], str] = lambda _: "correct it"
    #: The settings of the profile, and the variables, that it reads.
    keys: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    #: Whether trying it sends nothing, runs nothing, and needs no person.
    is_local: bool = False
    #: Whether only trying it shows if it has credentials.
    is_guess: bool = False
    #: The operation and the host of a call that it makes without a client; None if it has one.
    call: Callable[[View], tuple[str, str] | None] = lambda _: None
    #: Returns what is wrong in its settings, though it is configured; None if nothing is.
    problem: Callable[[View], str | None] = lambda _: None
    #: Why it returned nothing.
    reason_empty: Callable[[View], str] = lambda _: "it returned no credentials"


#: METHOD -> the rule.
RULES: Mapping[str, Rule] = {
    "env": Rule(
        _environment,
        source=lambda _: "the environment",
        remedy=lambda _: "set the variables again",
        variables=(
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SECURITY_TOKEN",
            "AWS_SESSION_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION",
            "AWS_ACCOUNT_ID",
        ),
        is_local=True,
    ),
    "assume-role": Rule(
        _role,
        source=lambda view: f"the source of the role of profile '{view.profile}'",
        keys=(
            "role_arn",
            "source_profile",
            "credential_source",
            "role_session_name",
            "external_id",
            "mfa_serial",
            "duration_seconds",
        ),
    ),
    "assume-role-with-web-identity": Rule(
        _web_identity,
        source=_token_file,
        remedy=lambda _: "check the program that writes the file, or correct the path",
        problem=_web_identity_problem,
        keys=("web_identity_token_file", "role_arn", "role_session_name"),
        variables=("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
    ),
    "sso": Rule(
        _sso,
        source=lambda _: "the token file of `aws sso login`",
        remedy=_log_in("sso login"),
        problem=_sso_problem,
        keys=("sso_session", *_SSO_KEYS),
    ),
    "shared-credentials-file": Rule(
        _credentials_file,
        source=lambda view: f"profile '{view.profile}' of {view.credentials_file}",
        keys=(*CREDENTIAL_SETTINGS, "aws_account_id"),
        is_local=True,
    ),
    "login": Rule(
        _key("login_session"),
        source=lambda _: "the token file of `aws login`",
        remedy=_log_in("login"),
        keys=("login_session",),
    ),
    "custom-process": Rule(
        _key("credential_process"),
        source=lambda view: f"credential_process of profile '{view.profile}'",
        remedy=lambda _: REMEDY,
        problem=_process_problem,
        keys=("credential_process",),
        call=lambda _: ("credential_process", "localhost"),
    ),
    "config-file": Rule(
        _config_file,
        source=lambda view: f"profile '{view.profile}' of {view.config_file}",
        keys=(*CREDENTIAL_SETTINGS, "aws_account_id"),
        is_local=True,
    ),
    "ec2-credentials-file": Rule(
        lambda view: (
            None if "AWS_CREDENTIAL_FILE" in view.environ else "AWS_CREDENTIAL_FILE is not set"
        ),
        source=lambda _: "the file that AWS_CREDENTIAL_FILE names",
        variables=("AWS_CREDENTIAL_FILE",),
        is_local=True,
        reason_empty=lambda _: "the file that AWS_CREDENTIAL_FILE names has no AWSAccessKeyId",
    ),
    "boto-config": Rule(
        source=lambda _: "the configuration of boto 2",
        variables=("BOTO_CONFIG",),
        is_local=True,
        reason_empty=lambda view: f"no credentials in {view.environ.get('BOTO_CONFIG', _BOTO)}",
    ),
    "container-role": Rule(
        _container,
        source=lambda view: f"the container endpoint {_container_host(view)}",
        remedy=lambda _: "check the AWS_CONTAINER_... variables and the log of the endpoint",
        variables=(
            *_CONTAINER_URIS,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ),
        call=lambda view: ("GET", _container_host(view)),
    ),
    "iam-role": Rule(
        _instance,
        source=lambda view: f"the metadata service at {_instance_host(view)}",
        remedy=lambda _: "check its address",
        is_guess=True,
        call=lambda view: ("GET", _instance_host(view)),
        reason_empty=lambda view: (
            f"the metadata service at {_instance_host(view)} returned no credentials: this is not "
            "an EC2 instance, the instance has no role, or its hop limit is too low for containers"
        ),
    ),
}
