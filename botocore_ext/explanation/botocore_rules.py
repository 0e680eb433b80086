"""What is known of botocore's own providers: what they read, whom they ask, how to mend them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..catalogue import INSERTED
from ..profiles.selection import selecting_keys, source_of
from ..system import why_no_file
from .report import Setting, host_of
from .view import View

# Why botocore's own providers are not called for: they do not say.
#
# The reasons are public facts: variables, keys of the profile, and whether files exist.

CONTAINER_URIS = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def none_of(view: View, *keys: str) -> str:
    """Say that the profile has none of its keys."""
    return f"profile '{view.profile}' has no {' or '.join(keys)}"


def environment(view: View) -> str | None:
    """Say why there are no keys of the environment; None if there are some."""
    if view.environ.get("AWS_ACCESS_KEY_ID"):
        return None
    state = "empty" if "AWS_ACCESS_KEY_ID" in view.environ else "not set"
    if view.environ.get("AWS_SECRET_ACCESS_KEY"):
        return f"AWS_ACCESS_KEY_ID is {state}, though AWS_SECRET_ACCESS_KEY is set: set both"
    return f"AWS_ACCESS_KEY_ID is {state}"


def role(view: View) -> str | None:
    """Say why there is no role; None if there is one."""
    if "role_arn" not in view.values:
        return none_of(view, "role_arn")
    if "web_identity_token_file" in view.values:
        return "role_arn belongs to web_identity_token_file here"
    return None


def role_of_ours(view: View) -> str | None:
    """Say why the role is not botocore's to assume, where ours are in the chain."""
    ours = [key for _, key in selecting_keys(view.values)]
    sources = {"source_profile", "credential_source"} & view.values.keys()
    if "role_arn" in view.values and ours and not sources:
        return f"role_arn belongs to {ours[0]} here"
    return role(view)


def web_identity(view: View) -> str | None:
    """Say why no token file is used; None if one is."""
    if view.values.get("web_identity_token_file"):
        return None
    name = "AWS_WEB_IDENTITY_TOKEN_FILE"
    if not view.environ.get(name):
        return f"neither {name} nor web_identity_token_file is set"
    if view.is_explicit:
        return f"{name} is set, but the caller names a profile, which leaves the environment out"
    return None


def sso(view: View) -> str | None:
    """Say why IAM Identity Center is not asked; None if it is."""
    if {"sso_account_id", "sso_role_name"} & view.values.keys():
        return None
    others = [key for key in ("sso_session", "sso_start_url") if key in view.values]
    if others:
        return f"{others[0]} is set, but neither sso_account_id nor sso_role_name: add both"
    return none_of(view, "sso_account_id", "sso_role_name")


def credentials_file(view: View) -> str | None:
    """Say why the credentials file gives no keys; None if it has some."""
    absence = why_no_file(view.credentials_file)
    if absence:
        return f"{view.credentials_file} {absence}"
    if view.in_credentials is None:
        return f"{view.credentials_file} has no section [{view.profile}]"
    if "aws_access_key_id" in view.in_credentials:
        return None
    return f"section [{view.profile}] of {view.credentials_file} has no aws_access_key_id"


def config_file(view: View) -> str | None:
    """Say why the config file gives no keys; None if it has some."""
    absence = why_no_file(view.config_file)
    if absence:
        return f"{view.config_file} {absence}"
    if "aws_access_key_id" in view.in_config:
        return None
    return f"profile '{view.profile}' of {view.config_file} has no aws_access_key_id"


def container(view: View) -> str | None:
    """Say why no container's endpoint is asked; None if one is."""
    names = CONTAINER_URIS
    return (
        None
        if any(name in view.environ for name in names)
        else f"neither {names[0]} nor {names[1]} is set"
    )


def key(name: str) -> Callable[[View], str | None]:
    """Make what says that the profile lacks a key; None if it has it."""
    return lambda view: None if name in view.values else none_of(view, name)


def variable(name: str) -> Callable[[View], str | None]:
    """Make what says that a variable is not set; None if it is."""
    return lambda view: None if name in view.environ else f"{name} is not set"


def is_written(view: View, method: str) -> bool:
    """Whether the profile has a key that selects the provider of ours, whatever contradicts it."""
    return method in [row.method for row, _ in selecting_keys(view.values)]


def why_unselected(view: View, method: str) -> str:
    """Say why a provider of ours that the profile could select is not selected."""
    selecting = next(row.selecting for row in INSERTED if row.method == method)
    written = [key for key in selecting if key in view.values]
    if written and source_of(view.values) is not None:
        return f"{written[0]} describes the source of the role here"
    return none_of(view, *selecting)


_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id")
_ROLE = (
    "role_arn", "source_profile", "credential_source", "role_session_name", "external_id",
    "mfa_serial", "duration_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """What is known of one of botocore's providers."""

    #: Says why it is not called for; None where it is.
    reason_not_selected: Callable[[View], str | None]
    #: Whence its keys come, for an error, and what to do where that fails.
    place: Callable[[View], str]
    #: What it reads of the profile, and of the environment.
    keys: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    #: Whether asking it sends nothing, runs nothing, and asks nobody.
    is_local: bool = False
    #: What it does without a client, and which host it asks; None where it has one.
    asks: Callable[[View], tuple[str, str] | None] = lambda _: None
    remedy: Callable[[View], str] = lambda _: "correct it"
    #: Why it gave nothing although it was asked.
    empty: Callable[[View], str] = lambda _: "it has no keys"

    def settings(self, view: View) -> tuple[Setting, ...]:
        """Return what is set of that which it reads."""
        return view.settings(self.keys, self.variables)


def _container_host(view: View) -> str:
    if "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in view.environ:
        return "169.254.170.2"
    return host_of(view.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""))


def _instance_host(view: View) -> str:
    given = view.session.get_config_variable("ec2_metadata_service_endpoint")
    return host_of(str(given or "http://169.254.169.254"))


def _log_in(command: str) -> Callable[[View], str]:
    return lambda view: f"log in with `aws {command} --profile {view.profile}`"


def _in(file: Callable[[View], str]) -> Callable[[View], str]:
    return lambda view: f"profile '{view.profile}' of {file(view)}"


def _token_file(view: View) -> str:
    by_profile = view.values.get("web_identity_token_file")
    path = view.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") if not view.is_explicit else None
    return f"the token file {path or by_profile}"


#: Where boto 2 had its configuration.
_BOTO = "/etc/boto.cfg or ~/.boto"
PROCESS_REMEDY = (
    "run the command by hand, which must print "
    '{"Version": 1, "AccessKeyId": "...", "SecretAccessKey": "..."} and end with status 0'
)

#: METHOD -> what is known of it.
RULES: Mapping[str, Rule] = {
    "env": Rule(
        environment,
        variables=(
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SECURITY_TOKEN",
            "AWS_SESSION_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION",
            "AWS_ACCOUNT_ID",
        ),
        is_local=True,
        place=lambda _: "the environment",
        remedy=lambda _: "set the variables anew",
    ),
    "assume-role": Rule(
        role,
        keys=_ROLE,
        place=lambda view: f"the source of the role of profile '{view.profile}'",
    ),
    "assume-role-with-web-identity": Rule(
        web_identity,
        keys=("web_identity_token_file", "role_arn", "role_session_name"),
        variables=("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
        place=_token_file,
        remedy=lambda _: "see who is to write it, or correct the path",
    ),
    "sso": Rule(
        sso,
        keys=("sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"),
        place=lambda _: "the token file of `aws sso login`",
        remedy=_log_in("sso login"),
    ),
    "shared-credentials-file": Rule(
        credentials_file,
        keys=_KEYS,
        is_local=True,
        place=_in(lambda view: view.credentials_file),
    ),
    "login": Rule(
        key("login_session"),
        keys=("login_session",),
        place=lambda _: "the token file of `aws login`",
        remedy=_log_in("login"),
    ),
    "custom-process": Rule(
        key("credential_process"),
        keys=("credential_process",),
        asks=lambda _: ("credential_process", "localhost"),
        place=lambda view: f"credential_process of profile '{view.profile}'",
        remedy=lambda _: PROCESS_REMEDY,
    ),
    "config-file": Rule(
        config_file, keys=_KEYS, is_local=True, place=_in(lambda view: view.config_file)
    ),
    "ec2-credentials-file": Rule(
        variable("AWS_CREDENTIAL_FILE"),
        variables=("AWS_CREDENTIAL_FILE",),
        is_local=True,
        place=lambda _: "the file that AWS_CREDENTIAL_FILE names",
        empty=lambda _: "the file that AWS_CREDENTIAL_FILE names has no AWSAccessKeyId",
    ),
    "boto-config": Rule(
        lambda _: None,
        variables=("BOTO_CONFIG",),
        is_local=True,
        place=lambda _: "the configuration of boto 2",
        empty=lambda view: f"there are no keys in {view.environ.get('BOTO_CONFIG', _BOTO)}",
    ),
    "container-role": Rule(
        container,
        variables=(
            *CONTAINER_URIS,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ),
        asks=lambda view: ("GET", _container_host(view)),
        place=lambda view: f"the container's endpoint {_container_host(view)}",
        remedy=lambda _: "check the AWS_CONTAINER_... variables, and its own log",
    ),
    "iam-role": Rule(
        lambda view: (
            "AWS_EC2_METADATA_DISABLED is true"
            if view.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
            else None
        ),
        asks=lambda view: ("GET", _instance_host(view)),
        place=lambda view: f"the metadata service at {_instance_host(view)}",
        remedy=lambda _: "check its address",
        empty=lambda view: (
            f"the metadata service at {_instance_host(view)} gave no keys: this is "
            "no EC2 instance, or it has no role, or its hop limit is too low for containers"
        ),
    ),
}
