"""What profiles select, told without loading a provider: names, keys, and where the class is.

The declarations of the classes are what holds; ``tests/test_index.py`` compares, and prints the
entries that are right.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..provider import Provider


class Entry(NamedTuple):
    """A provider, as far as it takes to see whether a profile is its own."""

    method: str
    canonical_name: str
    factory: str
    #: The module of this package that has the class, and the name of the class.
    module: str
    class_name: str
    #: The ini keys that select it, and those of its other options.
    selecting: tuple[str, ...]
    others: tuple[str, ...]

    def kind(self) -> "type[Provider]":
        """Load the class."""
        return _loaded(self.module, self.class_name)


#: Those that a profile can select, in order of precedence.
ENTRIES = (
    Entry(
        method="custom-credential-chain",
        canonical_name="CustomCredentialChain",
        factory="create_credential_chain",
        module="chain",
        class_name="CredentialChain",
        selecting=("credential_chain",),
        others=("credential_chain_expire_after", "botocore_ext_refresh_window"),
    ),
    Entry(
        method="custom-web-token",
        canonical_name="CustomWebToken",
        factory="from_web_token",
        module="providers.web_token",
        class_name="WebTokenProvider",
        selecting=("web_identity_token",),
        others=(
            "role_arn",
            "role_session_name",
            "web_identity_provider_id",
            "web_identity_policy_arns",
            "web_identity_policy",
            "duration_seconds",
            "botocore_ext_refresh_window",
        ),
    ),
    Entry(
        method="custom-cognito-identity",
        canonical_name="CustomCognitoIdentity",
        factory="from_cognito_identity",
        module="providers.cognito_identity",
        class_name="CognitoIdentityProvider",
        selecting=("cognito_identity_id",),
        others=("cognito_custom_role_arn", "cognito_logins", "botocore_ext_refresh_window"),
    ),
    Entry(
        method="custom-cognito-identity-pool",
        canonical_name="CustomCognitoIdentityPool",
        factory="from_cognito_identity_pool",
        module="providers.cognito_identity_pool",
        class_name="CognitoIdentityPoolProvider",
        selecting=("cognito_identity_pool_id",),
        others=(
            "cognito_account_id",
            "cognito_user_identifier",
            "cognito_custom_role_arn",
            "cognito_logins",
            "botocore_ext_refresh_window",
        ),
    ),
    Entry(
        method="custom-http",
        canonical_name="CustomHttp",
        factory="from_http",
        module="providers.http",
        class_name="HttpProvider",
        selecting=("container_credentials_full_uri", "container_credentials_relative_uri"),
        others=(
            "container_authorization_token",
            "container_authorization_token_file",
            "container_credentials_timeout",
            "container_credentials_max_retries",
            "botocore_ext_refresh_window",
        ),
    ),
)
#: Native ones that a role may name as its source, too: their modules and classes.
NATIVE_SOURCES = {
    "CustomSso": ("providers.sso", "SsoProvider"),
    "CustomLogin": ("providers.login", "LoginProvider"),
    "CustomProcess": ("providers.process", "ProcessProvider"),
}
#: The factories of those that have a name as sources, botocore's own among them.
_BY_FACTORY = {
    "from_container_metadata": "EcsContainer",
    "from_env": "Environment",
    "from_instance_metadata": "Ec2InstanceMetadata",
    "from_login_credentials": "CustomLogin",
    "from_process": "CustomProcess",
    "from_sso": "CustomSso",
}


def source_name(name: str) -> str:
    """Return the name that a ``credential_source`` means: for a factory, that of its provider."""
    return _BY_FACTORY.get(name.strip().lower(), name)


def source_by_name(name: str) -> "type[Provider] | None":
    """Return the provider of ours that ``credential_source`` means by this name, or None.

    Ours go by canonical name, METHOD or factory, in any case. Names that are botocore's keep the
    meaning that they have without us.
    """
    wanted = source_name(name).strip().lower()
    for canonical_name, place in NATIVE_SOURCES.items():
        if wanted == canonical_name.lower():
            return _loaded(*place)
    for entry in ENTRIES:
        if wanted in (entry.canonical_name.lower(), entry.method, entry.factory):
            return entry.kind()
    return None


def _loaded(module: str, class_name: str) -> "type[Provider]":
    found: type[Provider] = getattr(import_module(f"..{module}", __package__), class_name)
    return found
