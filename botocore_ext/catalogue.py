"""The catalogue of providers and token schemes: found by name, without loading a class.

A test compares the rows with the declarations of the classes. The providers and schemes of other
installed packages are in ``profiles.registry``.
"""

from collections.abc import Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal, NamedTuple


class Row(NamedTuple):
    """The names of a provider, for use before its class is loaded."""

    factory: str
    method: str
    canonical_name: str
    #: The module in this package and the class; of another package, that module.
    home: str
    #: The options by their ini keys.
    keys: Mapping[str, str]
    #: The ini keys that select the provider in a profile.
    selecting: tuple[str, ...] = ()
    #: Whether botocore has this provider too; this one is then for its factory and for chains.
    is_native: bool = False
    #: The package that has it as a ``credential_source``; None if none has.
    source_of: Literal["botocore", "us"] | None = None
    #: The other package that has the provider.
    package: str = ""
    #: Why it cannot be used; the text follows the profile or chain that needs it.
    problem: str | None = None

    def load(self) -> Any:
        """Import the class and return it."""
        return load_object(self.home, "" if self.package else ".")


class Scheme(NamedTuple):
    """A kind of token reference, such as ``file://``."""

    name: str
    #: Examples for errors.
    forms: str
    #: The module in this package and the function ``(rest, scope) -> token or callable``. ``rest``
    #: is the text after ``://``. None means that it is incomplete; a ``ValueError`` is the error.
    home: str


def load_object(home: str, start: str = ".") -> Any:
    """Import ``module:name``, by default from this package."""
    module, _, name = home.partition(":")
    return attrgetter(name)(import_module(f"{start}{module}", __package__))


_EVERY = {"botocore_ext_refresh_window": "refresh_window"}
_WEB_IDENTITY = {
    "role_arn": "role_arn",
    "role_session_name": "role_session_name",
    "web_identity_provider_id": "provider_id",
    "web_identity_policy_arns": "policy_arns",
    "web_identity_policy": "policy",
    "duration_seconds": "duration_seconds",
    **_EVERY,
}
_COGNITO = {
    "cognito_custom_role_arn": "custom_role_arn",
    "cognito_logins": "logins",
    "cognito_flow": "flow",
    "role_arn": "role_arn",
    "role_session_name": "role_session_name",
    "duration_seconds": "duration_seconds",
    **_EVERY,
}
_SSO = ("sso_start_url", "sso_account_id", "sso_region", "sso_role_name", "sso_session")

# fmt: off
#: The providers that a profile can select, in order of precedence.
INSERTED = (
    Row(
        "create_credential_chain", "custom-credential-chain", "CustomCredentialChain",
        "providers.chain:CredentialChain",
        {"credential_chain": "links", "credential_chain_expire_after": "expire_after", **_EVERY},
        ("credential_chain",), source_of="us",
    ),
    Row(
        "from_web_token", "custom-web-token", "CustomWebToken",
        "providers.web_identity:WebTokenProvider",
        {"web_identity_token": "web_identity_token", **_WEB_IDENTITY},
        ("web_identity_token",), source_of="us",
    ),
    Row(
        "from_cognito_identity", "custom-cognito-identity", "CustomCognitoIdentity",
        "providers.cognito:CognitoIdentityProvider",
        {"cognito_identity_id": "identity_id", **_COGNITO},
        ("cognito_identity_id",), source_of="us",
    ),
    Row(
        "from_cognito_identity_pool", "custom-cognito-identity-pool", "CustomCognitoIdentityPool",
        "providers.cognito:CognitoIdentityPoolProvider",
        {
            "cognito_identity_pool_id": "identity_pool_id",
            "cognito_account_id": "account_id",
            "cognito_user_identifier": "user_identifier",
            "cognito_developer_provider": "developer_provider",
            "cognito_developer_user": "developer_user",
            "source_profile": "source_profile",
            **_COGNITO,
        },
        ("cognito_identity_pool_id",), source_of="us",
    ),
    Row(
        "from_http", "custom-http", "CustomHttp",
        "providers.http:HttpProvider",
        {
            "container_credentials_full_uri": "aws_container_credentials_full_uri",
            "container_credentials_relative_uri": "aws_container_credentials_relative_uri",
            "container_authorization_token": "aws_container_authorization_token",
            "container_authorization_token_file": "aws_container_authorization_token_file",
            "container_credentials_timeout": "timeout",
            "container_credentials_max_retries": "max_retries",
            **_EVERY,
        },
        ("container_credentials_full_uri", "container_credentials_relative_uri"), source_of="us",
    ),
    Row(
        "from_roles_anywhere", "custom-roles-anywhere", "CustomRolesAnywhere",
        "providers.roles_anywhere:RolesAnywhereProvider",
        {
            "roles_anywhere_trust_anchor_arn": "trust_anchor_arn",
            "roles_anywhere_profile_arn": "profile_arn",
            "role_arn": "role_arn",
            "roles_anywhere_certificate": "certificate",
            "roles_anywhere_private_key": "private_key",
            "roles_anywhere_passphrase": "passphrase",
            "duration_seconds": "duration_seconds",
            "role_session_name": "role_session_name",
            **_EVERY,
        },
        ("roles_anywhere_trust_anchor_arn",), source_of="us",
    ),
)
#: The provider of chains, which comes first.
CHAIN = INSERTED[0]
#: The settings of a role that only ``from_ini`` reads.
ROLE_KEYS = ("role_tags", "role_transitive_tag_keys", "role_source_identity", "role_policy_arns")
#: The provider of a whole profile; a profile selects it only with ``botocore_ext_reload``, or with
#: settings of a role whose source is a provider of this package.
PROFILE = Row(
    "from_ini", "custom-profile", "CustomProfile",
    "providers.profile:ProfileProvider",
    {"botocore_ext_reload": "ignore_cache", **{key: key for key in ROLE_KEYS}, **_EVERY},
    ("botocore_ext_reload",),
)
#: All providers: each has a factory and can be a link of a chain.
ROWS = (
    *INSERTED,
    PROFILE,
    Row(
        "from_default_chain", "custom-default-chain", "CustomDefaultChain",
        "providers.profile:DefaultChainProvider", PROFILE.keys,
    ),
    Row(
        "from_temporary_credentials", "custom-temporary-credentials", "CustomTemporaryCredentials",
        "providers.assume_role:TemporaryCredentialsProvider", _EVERY,
    ),
    Row(
        "from_env", "env", "Environment",
        "providers.environment:EnvironmentProvider", _EVERY,
        is_native=True, source_of="botocore",
    ),
    Row(
        "from_token_file", "assume-role-with-web-identity", "CustomTokenFile",
        "providers.web_identity:TokenFileProvider",
        {"web_identity_token_file": "web_identity_token_file", **_WEB_IDENTITY},
        ("web_identity_token_file",), is_native=True,
    ),
    Row(
        "from_sso", "sso", "CustomSso",
        "providers.sso:SsoProvider", {**{key: key for key in _SSO}, **_EVERY},
        _SSO, is_native=True, source_of="us",
    ),
    Row(
        "from_login_credentials", "login", "CustomLogin",
        "providers.login:LoginProvider", {"login_session": "login_session", **_EVERY},
        ("login_session",), is_native=True, source_of="us",
    ),
    Row(
        "from_process", "custom-process", "CustomProcess",
        "providers.process:ProcessProvider", {"credential_process": "credential_process", **_EVERY},
        ("credential_process",), is_native=True, source_of="us",
    ),
    Row(
        "from_container_metadata", "container-role", "EcsContainer",
        "providers.http:ContainerProvider", _EVERY,
        is_native=True, source_of="botocore",
    ),
    Row(
        "from_instance_metadata", "iam-role", "Ec2InstanceMetadata",
        "providers.instance:InstanceProvider", _EVERY,
        is_native=True, source_of="botocore",
    ),
)
# fmt: on


def find(name: str) -> Row | None:
    """Return the provider with this canonical name, METHOD or factory, in any case, or None."""
    wanted = name.strip().lower()
    for row in ROWS:
        if wanted in (row.canonical_name.lower(), row.method, row.factory):
            return row
    return None


def load(name: str) -> Any:
    """Import the class of the provider with this factory, and return it."""
    return next(row.load() for row in ROWS if name == row.factory)


def find_module(factory: str) -> str | None:
    """Return the module of this package that has a factory, or None."""
    return next((row.home.partition(":")[0] for row in ROWS if factory == row.factory), None)


# Token schemes.

SCHEMES = (
    Scheme("file", "file:///ABSOLUTE/PATH, file://~/PATH", "options.references:file_token"),
    Scheme("env", "env://NAME", "options.references:variable_token"),
    Scheme("process", "process://COMMAND", "options.references:process_token"),
    Scheme("github-actions", "github-actions://AUDIENCE", "options.oidc:github_token"),
    Scheme("ambient", "ambient://AUDIENCE", "options.oidc:AmbientToken"),
    Scheme("azure", "azure://AUDIENCE", "options.cloud:azure_token"),
    Scheme("google", "google://AUDIENCE", "options.cloud:google_token"),
    Scheme("oauth", "oauth://NAME", "options.oauth:OAuthToken.from_section"),
)
