"""What is known of botocore's own providers: what they read, whom they ask, how to mend them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import reasons
from .report import Setting
from .shown import host_of
from .view import View

_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id")
_ROLE = (
    "role_arn", "source_profile", "credential_source", "role_session_name", "external_id",
    "mfa_serial", "duration_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """What is known of one of botocore's providers."""

    #: Says why it is not called for; None where it is.
    why_not: Callable[[View], str | None]
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
        reasons.environment,
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
        reasons.role,
        keys=_ROLE,
        place=lambda view: f"the source of the role of profile '{view.profile}'",
    ),
    "assume-role-with-web-identity": Rule(
        reasons.web_identity,
        keys=("web_identity_token_file", "role_arn", "role_session_name"),
        variables=("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
        place=_token_file,
        remedy=lambda _: "see who is to write it, or correct the path",
    ),
    "sso": Rule(
        reasons.sso,
        keys=("sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"),
        place=lambda _: "the token file of `aws sso login`",
        remedy=_log_in("sso login"),
    ),
    "shared-credentials-file": Rule(
        reasons.credentials_file,
        keys=_KEYS,
        is_local=True,
        place=_in(lambda view: view.credentials_file),
    ),
    "login": Rule(
        reasons.key("login_session"),
        keys=("login_session",),
        place=lambda _: "the token file of `aws login`",
        remedy=_log_in("login"),
    ),
    "custom-process": Rule(
        reasons.key("credential_process"),
        keys=("credential_process",),
        asks=lambda _: ("credential_process", "localhost"),
        place=lambda view: f"credential_process of profile '{view.profile}'",
        remedy=lambda _: PROCESS_REMEDY,
    ),
    "config-file": Rule(
        reasons.config_file, keys=_KEYS, is_local=True, place=_in(lambda view: view.config_file)
    ),
    "ec2-credentials-file": Rule(
        reasons.variable("AWS_CREDENTIAL_FILE"),
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
        reasons.container,
        variables=(
            *reasons.CONTAINER_URIS,
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
