"""Recognize profiles that do not use this package, without loading a provider.

Most sessions of a process have such a profile, and ``install()`` must cost them nothing.
"""

import inspect
import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

from botocore.session import Session

#: The profiles of a session, by their names.
Profiles: TypeAlias = Mapping[str, Mapping[str, Any]]

#: AWS's own settings. One that is missing here only costs time: the session is then checked more
#: closely.
AWS_KEYS = {
    "account_id_endpoint_mode", "api_versions", "auth_scheme_preference", "aws_access_key_id",
    "aws_account_id", "aws_secret_access_key", "aws_session_token", "ca_bundle",
    "cli_auto_prompt", "cli_binary_format", "cli_follow_urlparam", "cli_history", "cli_pager",
    "cli_timestamp_format", "credential_process", "credential_source", "csm_client_id",
    "csm_enabled", "csm_host", "csm_port", "data_path", "defaults_mode",
    "disable_host_prefix_injection", "disable_request_compression", "duration_seconds",
    "ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode",
    "ec2_metadata_v1_disabled", "endpoint_discovery_enabled", "endpoint_url", "external_id",
    "ignore_configured_endpoint_urls", "imds_use_ipv6", "login_session", "max_attempts",
    "metadata_service_num_attempts", "metadata_service_timeout", "mfa_serial", "output",
    "parameter_validation", "region", "request_checksum_calculation",
    "request_min_compression_size_bytes", "response_checksum_validation", "retry_mode",
    "role_arn", "role_session_name", "s3", "s3_disable_express_session_auth", "sdk_ua_app_id",
    "services", "sigv4a_signing_region_set", "source_profile", "sso_account_id", "sso_region",
    "sso_registration_scopes", "sso_role_name", "sso_session", "sso_start_url",
    "sts_regional_endpoints", "tcp_keepalive", "use_dualstack_endpoint", "use_fips_endpoint",
    "user_agent_appid", "user_agent_extra", "web_identity_token_file",
}  # fmt: skip
#: The values of ``credential_source`` in plain botocore.
BOTOCORES_SOURCES = ("Environment", "EcsContainer", "Ec2InstanceMetadata")


def profile_of(session: Session) -> str:
    """Return the name of the session's profile, as botocore's resolver does."""
    return session.get_config_variable("profile") or "default"


def is_async(session: Session) -> bool:
    """Return whether the session is asynchronous, like those of aiobotocore."""
    return type(session) is not Session and inspect.iscoroutinefunction(session.get_credentials)


def is_of_others(session: Session) -> bool:
    """Return whether the session is asynchronous, but not one of aiobotocore."""
    theirs = getattr(sys.modules.get("aiobotocore.session"), "AioSession", ())
    return is_async(session) and not isinstance(session, theirs)


def is_inert(profiles: Profiles, name: str) -> bool:
    """Return whether the profile ``name`` is not a role and has no setting of this package.

    For roles see ``is_plain_role``.
    """
    values = profiles.get(name, {})
    return not is_role(values) and _is_plain(values)


def is_plain_role(profiles: Profiles, name: str) -> bool:
    """Return whether the profile is a role whose ``source_profile`` chain is all plain botocore."""
    if not is_role(profiles.get(name, {})):
        return False
    return all(_is_plain(profiles[one]) for one in source_profile_chain(profiles, name))


def is_plain(profiles: Profiles, name: str) -> bool:
    """Return whether the profile ``name`` gets its credentials without this package."""
    return is_inert(profiles, name) or is_plain_role(profiles, name)


def source_profile_chain(profiles: Profiles, name: object) -> list[str]:
    """Return the profiles of a role's ``source_profile`` chain, the role first.

    It ends at a profile that is missing or repeated; the error for that is botocore's.
    """
    chain: list[str] = []
    while isinstance(name, str) and name in profiles and name not in chain:
        chain.append(name)
        name = profiles[name].get("source_profile")
    return chain


def is_role(values: Mapping[str, Any]) -> bool:
    """Whether the profile has a role that other credentials assume."""
    return "role_arn" in values and "web_identity_token_file" not in values


def _is_plain(values: Mapping[str, Any]) -> bool:
    source = values.get("credential_source")
    return source in (None, *BOTOCORES_SOURCES) and values.keys() <= AWS_KEYS
