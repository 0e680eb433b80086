"""Start URL and region of IAM Identity Center, which may stand in the section of a session.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
"""

from ..errors import ConfigurationError
from .specification import Specification


def start_of(provider: Specification) -> tuple[str, str]:
    """Return start URL and region of a provider that has an option for each, and a session's.

    Raises:
        ConfigurationError: One is missing, or the profile and the section contradict each other.
    """
    return _of_session(provider, "sso_start_url"), _of_session(provider, "sso_region")


def _of_session(provider: Specification, name: str) -> str:
    one = provider.option_named(name)
    session, own = (provider.option_value(o) for o in (provider.option_named("sso_session"), one))
    section = provider.scope.files.full_config.get("sso_sessions", {}).get(session)
    shared = (section or {}).get(one.ini)
    if own and shared and own != shared:
        raise _unclear(provider, f"has another {one.ini}: remove {one.ini} beside sso_session")
    if own or shared:
        return str(own or shared)
    if session is None:
        raise provider.missing(one)
    fact = "is not there" if section is None else f"has no {one.ini}"
    raise _unclear(provider, f"{fact}: write it as `aws configure sso` does")


def _unclear(provider: Specification, fact: str) -> ConfigurationError:
    """Return the error for a section that is named."""
    named = provider.option_named("sso_session")
    place = next(o.place(one) for one, o in provider.origins_in_force() if one is named)
    section = f"[sso-session {provider.option_value(named)}] of {provider.scope.config_file}"
    fact = f"{place} names {section}, which {fact}"
    return ConfigurationError(provider=provider.METHOD, error_msg=fact)
