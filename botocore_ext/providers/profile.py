"""Credentials of a profile of any kind, and those that a plain session would use.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
https://docs.aws.amazon.com/boto3/latest/guide/credentials.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.credentials import BotoProvider, OriginalEC2Provider

from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import PROFILE, ROLE_KEYS, Row
from ..errors import Attempt, ChainError, ConfigurationError, NotConfigured, ProviderError
from ..options import types
from ..options.option import Option, option, option_like
from ..options.scope import ProfileScope, Scope
from ..profiles.inert import is_role
from ..profiles.registry import rows_of
from ..profiles.selection import STATIC_SETTINGS, role_source
from ..runtime.context import is_being_resolved
from ..runtime.single_flight import Once, own_copy
from .assume_role import TemporaryCredentialsProvider
from .base import Provider, ServiceProvider
from .chain import fetch_from
from .environment import EnvironmentProvider, static_sources
from .files import FilesProvider
from .http import ContainerProvider
from .instance import InstanceProvider
from .login import LoginProvider
from .process import ProcessProvider
from .sso import SsoProvider
from .web_identity import TokenFileProvider

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: A name, and a function that returns credentials, or None if it is not configured.
Candidate: TypeAlias = tuple[str, Callable[[], FrozenCredentials | None]]

#: Options that also apply to the source profiles of a role; the files come with the scope.
_SHARED = {"mfa_code_provider", "client_config"}
#: Setting of a role -> parameter of AssumeRole.
_PARAMETERS = {
    "role_arn": "RoleArn",
    "role_session_name": "RoleSessionName",
    "external_id": "ExternalId",
    "mfa_serial": "SerialNumber",
}


def _role_parameters(scope: Scope, mfa_code_provider: object, factory: str) -> dict[str, Any]:
    """Return the parameters of AssumeRole that the profile sets.

    Raises:
        ConfigurationError: ``duration_seconds`` is not a number, or an MFA code is needed and
            there is no callback.
    """
    values = scope.profile_values
    if "mfa_serial" in values and mfa_code_provider is None:
        raise _role_error(
            scope,
            f"has mfa_serial = {values['mfa_serial']}, but there is no callback for the MFA code: "
            f"pass mfa_code_provider=ask_for_code to {factory}()",
        )
    parameters: dict[str, Any] = {
        parameter: values[setting]
        for setting, parameter in _PARAMETERS.items()
        if setting in values
    }
    try:
        if "duration_seconds" in values:
            parameters["DurationSeconds"] = types.whole(values["duration_seconds"])
    except ValueError as error:
        raise _role_error(
            scope,
            f"has a duration_seconds that {error}: for example, write duration_seconds = 3600",
        ) from None
    return parameters


def create_provider(
    kind: type[Provider], client_config: Mapping[str, Any] | None, **given: Any
) -> Provider:
    """Return a provider for a profile, with the arguments for its inner clients.

    A provider with a region of its own gets no ``region_name``: a token of IAM Identity Center is
    valid in its region only.
    """
    if client_config is None or not issubclass(kind, ServiceProvider):
        return kind(**given)
    if kind._HAS_OWN_REGION:
        client_config = {
            name: client_config[name] for name in client_config if name != "region_name"
        }
    return kind(client_config=client_config, **given)


def _source_provider(row: Row, scope: Scope, client_config: Mapping[str, Any] | None) -> Provider:
    """Return the provider of a ``credential_source``; one of this package reads the profile."""
    if row.source_of == "us":
        return create_provider(row.load(), client_config).bind(
            _CandidateScope.like(scope, source=row)
        )
    provider: Provider = row.load()()
    return provider.bind(Scope.like(scope, profile=None))


def _role_error(scope: Scope, fact: str) -> ConfigurationError:
    """Return the error for a profile whose role cannot be assumed."""
    fact = f"{scope.profile_in_file} {fact}"
    return ConfigurationError(provider="assume-role", error_msg=fact)


class _CandidateScope(ProfileScope):
    """The scope of a candidate, which does not see the settings of the profile as a whole."""

    @property
    def profile_values(self) -> Mapping[str, Any]:
        """See ``Scope.profile_values``."""
        values = super().profile_values
        has_source = {"source_profile", "credential_source"} & values.keys()
        hidden = {*PROFILE.selecting, *(ROLE_KEYS if has_source else ())}
        return {key: value for key, value in values.items() if key not in hidden}


class ProfileProvider(FilesProvider, ServiceProvider):
    """Credentials of a profile: any kind that boto3 or this package knows, and roles on top."""

    METHOD = "custom-profile"
    CANONICAL_NAME = "CustomProfile"
    FACTORY = "from_ini"

    mfa_code_provider: Callable[[str], str | Awaitable[str]] | None = option(
        code="ask_for_code",
        secret=True,
        parse=types.function,
        help="Called with `mfa_serial` on every refresh of a role that has one, after its source "
        "credentials were retrieved; returns the code. Nothing else prompts for it.",
    )
    ignore_cache: bool = option(
        default=False,
        ini="botocore_ext_reload",
        example="true",
        code="True",
        selects=True,
        parse=types.flag,
        help="Whether to read the files again on every refresh. By default they are read once for "
        "each session. In a profile it selects this provider for the whole profile.",
    )
    role_tags: Mapping[str, str] | None = option(
        ini="role_tags",
        example="team=blue, project=atlas",
        code="{'team': 'blue'}",
        parse=types.tags,
        help="The session tags of the role that the profile assumes.",
    )
    role_transitive_tag_keys: Sequence[str] | None = option(
        ini="role_transitive_tag_keys",
        example="project",
        code="['project']",
        parse=types.names,
        help="The keys of the session tags that later roles keep.",
    )
    role_source_identity: str | None = option(
        ini="role_source_identity",
        example="alice",
        parse=types.text,
        help="The source identity of the role that the profile assumes.",
    )
    role_policy_arns: Sequence[str | Mapping[str, str]] | None = option(
        ini="role_policy_arns",
        example="arn:aws:iam::aws:policy/ReadOnlyAccess",
        code="['arn:aws:iam::aws:policy/ReadOnlyAccess']",
        parse=types.arns,
        help="Managed policies that limit the role that the profile assumes: strings or "
        "`{'arn': ...}` mappings, in a profile separated by commas.",
    )

    #: The profiles whose roles use this one as their source, outermost first.
    _visited: tuple[str, ...] = ()

    def is_selected(self) -> bool:
        """Whether the profile exists and, without a name from code, selects this provider."""
        if self._in_code("profile") is None and not self._outer_scope.allows(self.METHOD):
            return False
        if self.ignore_cache:
            self._read_again()
        return self.scope.profile in self.scope.files.full_config["profiles"]

    def _is_set_in_code(self) -> bool:
        """See ``FilesProvider._is_set_in_code``; the profile is always read."""
        return False

    def _reading_scope(self, outer: Scope, *, again: bool = False) -> Scope:
        """See ``FilesProvider._reading_scope``; all candidates of the profile are allowed."""
        within = Scope.like(outer) if isinstance(outer, ProfileScope) else outer
        return super()._reading_scope(within, again=again)

    def _guarded_fetch(self) -> FrozenCredentials:
        """See ``Provider._guarded_fetch``; each candidate guards against recursion itself."""
        return self.fetch()

    def fetch(self) -> FrozenCredentials:
        """Return the credentials of the first candidate that is configured in the profile.

        Raises:
            NotConfigured: None is configured.
        """
        if self.ignore_cache:
            self._read_again()
        attempts = []
        # Created once for each binding.
        for name, get in self._binding.once("candidates", self._find_candidates):
            try:
                credentials = get()
            except NotConfigured as error:
                attempts.append(Attempt(name, error.reason, own_copy(error)))
                continue
            if credentials is not None:
                return credentials
            attempts.append(Attempt(name, "not configured"))
        raise self._none_found(attempts)

    def _none_found(self, _: Sequence[Attempt], /) -> ProviderError:
        """Return the error when no candidate has credentials."""
        if not self.is_selected():
            return self._not_configured()
        fact = f"{self.scope.profile_in_file} has no credentials"
        remedy = f"add some, for example with `aws configure --profile {self.scope.profile}`"
        return NotConfigured(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _find_candidates(self) -> list[Candidate]:
        """Create the candidates, in botocore's order.

        Raises:
            ConfigurationError: Code sets an option of a role, and the profile has none.
        """
        self._check_role_options(is_possible=is_role(self.scope.profile_values))
        return [
            *self._first_candidates(),
            self._candidate(TokenFileProvider),
            *self._last_candidates(),
        ]

    def _check_role_options(self, *, is_possible: bool) -> None:
        """Refuse options of a role that code sets if there may be no role: they limit it.

        Raises:
            ConfigurationError: There may be none.
        """
        given = [name for name in ROLE_KEYS if name in self._code_values]
        if given and not is_possible:
            raise ConfigurationError(
                provider=self.METHOD,
                error_msg=f"{given[0]} passed to {self.FACTORY}() is for a role that a profile "
                "assumes: use from_ini() with such a profile, or remove it",
            )

    def _first_candidates(self) -> list[Candidate]:
        """Create the candidates for the settings of this package, then for roles."""
        scope = _CandidateScope.like(self.scope)
        rows = [row for row in rows_of(scope.profile_values) if row.problem is None]
        inserted = [self._candidate(row.load(), scope) for row in rows]
        return [*inserted, ("assume-role", partial(self._assume_role, Once(self._role_provider)))]

    def _last_candidates(self) -> list[Candidate]:
        """Create the candidates for everything else that botocore finds in a profile."""
        in_credentials, in_config = static_sources(self.scope.files, str(self.scope.profile))
        return [
            self._candidate(SsoProvider),
            ("SharedCredentials", in_credentials),
            self._candidate(LoginProvider),
            self._candidate(ProcessProvider),
            ("SharedConfig", in_config),
        ]

    def _candidate(self, kind: type[Provider], scope: Scope | None = None) -> Candidate:
        """Return a provider of this package as a candidate; by default it reads the profile."""
        given = self._options_of_link(kind)
        provider = create_provider(kind, self.client_config, **given).bind(scope or self.scope)
        return str(kind.CANONICAL_NAME), partial(self._fetch_from, provider)

    def _options_of_link(self, _: type[Provider], /) -> Mapping[str, Any]:
        """Return the options for a candidate that code sets."""
        return {}

    def _fetch_from(self, provider: Provider) -> FrozenCredentials | None:
        return fetch_from(provider)

    def _assume_role(
        self, role_provider: Callable[[], tuple[str, Provider]]
    ) -> FrozenCredentials | None:
        """Assume the role of the profile, if any; in a source profile static credentials win."""
        is_static = bool(STATIC_SETTINGS & self.scope.profile_values.keys())
        if not is_role(self.scope.profile_values) or (self._visited and is_static):
            return None
        feature, role = role_provider()
        return role._guarded_fetch().with_features((feature,))

    def _session_parameters(self) -> dict[str, Any]:
        """Return the parameters of AssumeRole that only this package has settings for."""
        tags = self.role_tags
        arns: Any = self.role_policy_arns  # strings: see types.arns
        found = {
            "Tags": tags and [{"Key": key, "Value": value} for key, value in tags.items()],
            "TransitiveTagKeys": self.role_transitive_tag_keys,
            "SourceIdentity": self.role_source_identity,
            "PolicyArns": arns and [{"arn": arn} for arn in arns],
        }
        return {name: value for name, value in found.items() if value}

    def _role_provider(self) -> tuple[str, Provider]:
        """Return botocore's feature ID for the role's source, and the provider of the role."""
        visited, config = (*self._visited, str(self.scope.profile)), self.client_config
        found = role_source(str(self.scope.profile), self.scope.profiles, visited)
        if found.problem is not None:
            raise _role_error(self.scope, found.problem)
        inner = Scope.like(self.scope, region_of_chain=self.scope.named_region(config))
        if found.row is not None:
            feature = "CREDENTIALS_PROFILE_NAMED_PROVIDER"
            source = _source_provider(found.row, inner, config)
        else:
            feature = "CREDENTIALS_PROFILE_SOURCE_PROFILE"
            shared = {name: value for name, value in self._code_values.items() if name in _SHARED}
            source_profile = ProfileProvider(**{**shared, "profile": found.profile}).bind(inner)
            source_profile._visited, source = visited, source_profile
        role = TemporaryCredentialsProvider(
            params=_role_parameters(self.scope, self.mfa_code_provider, self.FACTORY)
            | self._session_parameters(),
            master_credentials=partial(fetch_from, source),
            mfa_code_provider=self.mfa_code_provider,
            client_config=config,
        )
        return feature, role.bind(inner)


from_ini = ProfileProvider


#: Providers that do not read the profile.
_OUTSIDE_PROFILES = (EnvironmentProvider, TokenFileProvider, ContainerProvider, InstanceProvider)


def _of_link(kind: type[Provider], name: str) -> Any:
    """Declare an option of a link, which reads the profile and the environment itself."""
    unset: dict[str, Any] = {"ini": None, "env": None, "also_env": None}
    declared = kind._option_named(name)
    return option_like(declared, **unset, selects=False, required=False, default=None)


class DefaultChainProvider(ProfileProvider):
    """Credentials that a plain session would use, including the settings of this package."""

    METHOD = "custom-default-chain"
    CANONICAL_NAME = "CustomDefaultChain"
    FACTORY = "from_default_chain"

    ignore_cache: bool = option_like(ProfileProvider._option_named("ignore_cache"), selects=False)
    web_identity_token_file: str | None = _of_link(TokenFileProvider, "web_identity_token_file")
    role_arn: str | None = _of_link(TokenFileProvider, "role_arn")
    role_session_name: str | None = _of_link(TokenFileProvider, "role_session_name")
    provider_id: str | None = _of_link(TokenFileProvider, "provider_id")
    policy_arns: Sequence[str | Mapping[str, str]] | None = _of_link(
        TokenFileProvider, "policy_arns"
    )
    policy: str | Mapping[str, Any] | None = _of_link(TokenFileProvider, "policy")
    duration_seconds: int | None = _of_link(TokenFileProvider, "duration_seconds")
    role_assumer_with_web_identity: Callable[[dict[str, Any]], Any] | None = _of_link(
        TokenFileProvider, "role_assumer_with_web_identity"
    )
    sso_start_url: str | None = _of_link(SsoProvider, "sso_start_url")
    sso_account_id: str | None = _of_link(SsoProvider, "sso_account_id")
    sso_region: str | None = _of_link(SsoProvider, "sso_region")
    sso_role_name: str | None = _of_link(SsoProvider, "sso_role_name")
    sso_session: str | None = _of_link(SsoProvider, "sso_session")
    client: "BaseClient | None" = _of_link(SsoProvider, "client")
    login_session: str | None = _of_link(LoginProvider, "login_session")
    credential_process: str | None = _of_link(ProcessProvider, "credential_process")
    timeout: float | None = _of_link(InstanceProvider, "timeout")
    max_retries: int | None = _of_link(InstanceProvider, "max_retries")
    ec2_metadata_v1_disabled: bool | None = _of_link(InstanceProvider, "ec2_metadata_v1_disabled")

    def _options_of_link(self, kind: type[Provider], /) -> Mapping[str, Any]:
        """See ``ProfileProvider._options_of_link``.

        A provider of this package that the profile selects takes its options from there alone, and
        a process needs more time than an endpoint.
        """
        names = {one.name for one in kind.options()} & _LINK_OPTIONS
        if kind not in _LINKS or kind is ProcessProvider:
            names &= {"credential_process"}
        return {name: self._code_values[name] for name in names if name in self._code_values}

    def is_selected(self) -> bool:
        """Always: only a fetch shows whether any candidate has credentials."""
        return True

    def _none_found(self, attempts: Sequence[Attempt], /) -> ChainError:
        """Return the error when no candidate has credentials, with a line for each."""
        return ChainError(provider=self.METHOD, attempts=attempts)

    def _find_candidates(self) -> list[Candidate]:
        """Create the candidates, in botocore's order."""
        self._check_role_options(is_possible=False)  # other links come first
        session = self.scope.unchecked_session
        profile = self.scope.profile
        if profile != "default" and profile not in self.scope.files.full_config["profiles"]:
            raise self._not_configured()  # as a plain session says
        without_profile = Scope.like(self.scope, profile=None)
        environment, token_file, container, instance = (
            self._candidate(kind, without_profile) for kind in _OUTSIDE_PROFILES
        )
        is_explicit = "profile" in self._code_values or "profile" in session.instance_variables()
        legacy = (OriginalEC2Provider(), BotoProvider())
        return [
            *([] if is_explicit else [environment]),
            *self._first_candidates(),
            *([] if is_explicit else [token_file]),
            self._candidate(TokenFileProvider),
            *self._last_candidates(),
            *((str(provider.METHOD), partial(fetch_from, provider)) for provider in legacy),
            container,
            instance,
        ]

    def _fetch_from(self, provider: Provider) -> FrozenCredentials | None:
        """Return the credentials of a candidate, unless it is the one that uses this chain."""
        if is_being_resolved(provider._identity):
            fact = "skipped, because it uses the default chain itself"
            raise NotConfigured(provider=provider.METHOD, error_msg=fact)
        return super()._fetch_from(provider)


_LINKS = (*_OUTSIDE_PROFILES, SsoProvider, LoginProvider, ProcessProvider)
#: The options that the default chain passes to the links that declare them.
_LINK_OPTIONS = {
    name
    for name, one in vars(DefaultChainProvider).items()
    if isinstance(one, Option) and one.ini is None
}

from_default_chain = DefaultChainProvider
