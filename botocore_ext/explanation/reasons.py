"""Why botocore's own providers are not called for: they do not say.

The reasons are public facts: variables, keys of the profile, and whether files exist.
"""

from collections.abc import Callable

from ..resolving.index import ENTRIES
from ..resolving.profiles import selecting_keys, source_of
from ..sources.paths import why_no_file
from .view import View

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
    ours = dict(selecting_keys(view.values))
    sources = {"source_profile", "credential_source"} & view.values.keys()
    if "role_arn" in view.values and ours and not sources:
        return f"role_arn belongs to {next(iter(ours.values()))} here"
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
    return method in [entry.method for entry, _ in selecting_keys(view.values)]


def why_unselected(view: View, method: str) -> str:
    """Say why a provider of ours that the profile could select is not selected."""
    selecting = next(entry.selecting for entry in ENTRIES if entry.method == method)
    written = [key for key in selecting if key in view.values]
    if written and source_of(view.values) is not None:
        return f"{written[0]} describes the source of the role here"
    return none_of(view, *selecting)
