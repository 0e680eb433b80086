"""Sessions that have nothing to do with this package, told without loading a provider of it.

Most sessions of a process are such, and ``install()`` must cost them nothing.
"""

from botocore.session import Session

#: Keys of a profile that are AWS's own and neither ours nor near to one of ours. A key that is
#: missing here only costs time: the session is then looked at more closely.
_AWS_KEYS = {
    "account_id_endpoint_mode", "api_versions", "auth_scheme_preference", "aws_access_key_id",
    "aws_account_id", "aws_secret_access_key", "aws_session_token", "ca_bundle",
    "cli_auto_prompt", "cli_binary_format", "cli_follow_urlparam", "cli_history", "cli_pager",
    "cli_timestamp_format", "credential_process", "credential_source", "defaults_mode",
    "disable_host_prefix_injection", "disable_request_compression",
    "ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode",
    "ec2_metadata_v1_disabled", "endpoint_discovery_enabled", "endpoint_url", "external_id",
    "ignore_configured_endpoint_urls", "login_session", "max_attempts",
    "metadata_service_num_attempts", "metadata_service_timeout", "mfa_serial", "output",
    "parameter_validation", "region", "request_checksum_calculation",
    "request_min_compression_size_bytes", "response_checksum_validation", "retry_mode",
    "role_arn", "role_session_name", "s3", "sdk_ua_app_id", "services",
    "sigv4a_signing_region_set", "source_profile", "sso_account_id", "sso_region",
    "sso_registration_scopes", "sso_role_name", "sso_session", "sso_start_url",
    "sts_regional_endpoints", "tcp_keepalive", "use_dualstack_endpoint", "use_fips_endpoint",
    "user_agent_appid", "user_agent_extra", "web_identity_token_file",
}  # fmt: skip
#: What ``credential_source`` may name in plain botocore, in its spelling.
BOTOCORES_SOURCES = ("Environment", "EcsContainer", "Ec2InstanceMetadata")


def is_bystander(session: Session) -> bool:
    """Whether nothing of this package can have a part in the session's credentials.

    A role is never one: ours are its sources, at any depth, and its provider is replaced.
    """
    profile = session.get_config_variable("profile") or "default"
    values = session.full_config["profiles"].get(profile, {})
    is_role = "role_arn" in values and "web_identity_token_file" not in values
    source = values.get("credential_source")
    return not is_role and source in (None, *BOTOCORES_SOURCES) and values.keys() <= _AWS_KEYS
