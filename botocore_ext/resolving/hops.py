"""A role that a profile names: its parameters, and whose keys assume it.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..declaration import values
from ..declaration.services import ServiceProvider
from ..errors import ConfigurationError
from ..options import near, nearest
from ..provider import Provider
from ..registry import LOGINS, SOURCES
from ..scope import Scope
from .index import ENTRIES, source_name
from .profiles import ProfileScope, source_of

#: What botocore takes for static keys.
STATIC_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key"})

_PARAMETERS = {
    "role_arn": "RoleArn",
    "role_session_name": "RoleSessionName",
    "external_id": "ExternalId",
    "mfa_serial": "SerialNumber",
}


def is_role(scope: Scope) -> bool:
    """Whether the profile is one of a role that other keys assume."""
    keys = scope.profile_values
    return "role_arn" in keys and "web_identity_token_file" not in keys


def parameters(scope: Scope, ask_for_code: object, factory: str) -> dict[str, Any]:
    """Return what the profile gives to AssumeRole.

    Args:
        scope: That of the role's profile.
        ask_for_code: Who is asked for an MFA code; None: nobody.
        factory: What reads the profile.

    Raises:
        ConfigurationError: ``duration_seconds`` is no number, or there is nobody to ask.
    """
    keys = scope.profile_values
    if "mfa_serial" in keys and ask_for_code is None:
        raise _error(
            scope,
            f"has mfa_serial = {keys['mfa_serial']}, and there is nobody to ask for the code: pass "
            f"mfa_code_provider=ask_for_code to {factory}()",
        )
    found: dict[str, Any] = {_PARAMETERS[key]: keys[key] for key in _PARAMETERS if key in keys}
    try:
        if "duration_seconds" in keys:
            found["DurationSeconds"] = values.whole(keys["duration_seconds"])
    except ValueError as error:
        raise _error(
            scope, f"has a duration_seconds that {error}: write duration_seconds = 3600"
        ) from None
    return found


def source_profile(scope: Scope, visited: Sequence[str]) -> str | None:
    """Return the profile whose keys assume the role; None where ``credential_source`` says whose.

    Args:
        scope: That of the role's profile.
        visited: The profiles on the way to it, outermost first, itself among them.

    Raises:
        ConfigurationError: Nothing says whose, or both do, or the way leads back to itself.
    """
    keys = scope.profile_values
    source, named = keys.get("source_profile"), keys.get("credential_source")
    if source is not None and named is not None:
        raise _error(scope, "has both source_profile and credential_source: keep one of them")
    if source is None and named is None:
        raise _error(
            scope,
            "has role_arn, but nothing that says whose keys assume the role: add "
            "source_profile = NAME or credential_source = NAME",
        )
    if source is None:
        return None
    profiles = scope.files.full_config["profiles"]
    if source not in profiles:
        similar = near(str(source), profiles)
        remedy = f"did you mean {similar}?" if similar else "add it, or correct the name"
        raise _error(scope, f"has source_profile = {source}, which is no profile: {remedy}")
    is_own = source == scope.profile and bool(STATIC_KEYS & profiles[source].keys())
    if source in visited and not is_own:
        way = " -> ".join([*visited, source])
        raise _error(scope, f"goes in a circle ({way}): correct source_profile in one of them")
    return str(source)


def made(kind: type[Provider], client_config: Mapping[str, Any] | None) -> Provider:
    """Return a provider for a profile, with what code gave for its inner clients.

    The region of a login is its own: a token of IAM Identity Center is good nowhere else.
    """
    if client_config is None or not issubclass(kind, ServiceProvider):
        return kind()
    if kind in LOGINS:
        client_config = {key: value for key, value in client_config.items() if key != "region_name"}
    return kind(client_config=client_config)


def named_source(scope: Scope, client_config: Mapping[str, Any] | None) -> Provider:
    """Return the provider that ``credential_source`` names, in botocore's spelling or ours.

    Raises:
        ConfigurationError: It names none.
    """
    keys = scope.profile_values
    named, ours = str(keys["credential_source"]), source_of(keys)
    if ours is not None:
        return made(ours, client_config).bind(ProfileScope.like(scope, source=ours))
    if source_name(named) in SOURCES:
        return SOURCES[source_name(named)]().bind(replace(scope, profile=None))
    known = [*SOURCES, *(entry.canonical_name for entry in ENTRIES)]
    raise _error(
        scope,
        f"has credential_source = {named}, which names no provider: did you mean "
        f"{nearest(named, known)}?",
    )


def _error(scope: Scope, fact: str) -> ConfigurationError:
    where = f"profile '{scope.profile}' of {scope.config_file}"
    return ConfigurationError(provider="assume-role", error_msg=f"{where} {fact}")
