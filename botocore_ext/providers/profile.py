"""Keys of a profile in the AWS config and credentials files, whatever kind they are of.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from botocore.credentials import BotoProvider, OriginalEC2Provider

from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import INSERTED, Row
from ..errors import Attempt, ChainError, ConfigurationError, NotConfigured, ProviderError
from ..options import types
from ..options.option import option
from ..options.scope import ProfileScope, Scope
from ..profiles.selection import STATIC, is_role, role_source
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

#: A name, and what gives keys or None.
Candidate: TypeAlias = tuple[str, Callable[[], FrozenCredentials | None]]

#: Options that hold for the profiles of a role's sources, too; the files come with the scope.
_SHARED = {"mfa_code_provider", "client_config"}


_PARAMETERS = {
    "role_arn": "RoleArn",
    "role_session_name": "RoleSessionName",
    "external_id": "ExternalId",
    "mfa_serial": "SerialNumber",
}


def _role_parameters(scope: Scope, ask_for_code: object, factory: str) -> dict[str, Any]:
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
        raise _role_error(
            scope,
            f"has mfa_serial = {keys['mfa_serial']}, and there is nobody to ask for the code: pass "
            f"mfa_code_provider=ask_for_code to {factory}()",
        )
    found: dict[str, Any] = {_PARAMETERS[key]: keys[key] for key in _PARAMETERS if key in keys}
    try:
        if "duration_seconds" in keys:
            found["DurationSeconds"] = types.whole(keys["duration_seconds"])
    except ValueError as error:
        raise _role_error(
            scope, f"has a duration_seconds that {error}: write duration_seconds = 3600"
        ) from None
    return found


def create_provider(kind: type[Provider], client_config: Mapping[str, Any] | None) -> Provider:
    """Return a provider for a profile, with what code gave for its inner clients.

    The region of a login is its own: a token of IAM Identity Center is good nowhere else.
    """
    if client_config is None or not issubclass(kind, ServiceProvider):
        return kind()
    if kind._HAS_OWN_REGION:
        client_config = {key: value for key, value in client_config.items() if key != "region_name"}
    return kind(client_config=client_config)


def _source_provider(row: Row, scope: Scope, client_config: Mapping[str, Any] | None) -> Provider:
    """Return the provider that ``credential_source`` names, bound to the profile if it is ours."""
    if row.source_of == "us":
        return create_provider(row.load(), client_config).bind(ProfileScope.like(scope, source=row))
    provider: Provider = row.load()()
    return provider.bind(replace(scope, profile=None))


def _role_error(scope: Scope, fact: str) -> ConfigurationError:
    """Return the error for a profile whose role cannot be assumed."""
    where = f"profile '{scope.profile}' of {scope.config_file}"
    return ConfigurationError(provider="assume-role", error_msg=f"{where} {fact}")


class ProfileProvider(FilesProvider, ServiceProvider):
    """The keys of a profile: ours, static ones, a process, a login, SSO, a role on any of them."""

    METHOD = "custom-profile"
    CANONICAL_NAME = "CustomProfile"
    FACTORY = "from_ini"

    mfa_code_provider: Callable[[str], str | Awaitable[str]] | None = option(
        default=None,
        code="ask_for_code",
        secret=True,
        parse=types.function,
        help="Called with `mfa_serial` at every fetch of a role that has one, once its source "
        "credentials are there; returns the code. Nothing else asks for one.",
    )
    ignore_cache: bool = option(
        default=False,
        example="true",
        code="True",
        parse=types.flag,
        help="Whether to read the files at every fetch; otherwise they are read once for each "
        "session.",
    )

    #: The profiles of roles that this one is the source of, outermost first.
    _visited: tuple[str, ...] = ()

    def is_selected(self) -> bool:
        """Whether there is such a profile."""
        if self.ignore_cache:
            self._read_again()
        return self.scope.profile in self.scope.files.full_config["profiles"]

    def _guarded_fetch(self) -> FrozenCredentials:
        """See ``Provider._guarded_fetch``; what is asked knows its place in a circle itself."""
        return self.fetch()

    def fetch(self) -> FrozenCredentials:
        """Obtain the keys of the first kind that the profile is of.

        Raises:
            NotConfigured: It is of none.
        """
        if self.ignore_cache:
            self._read_again()
        attempts = []
        for name, ask in self._candidates():
            try:
                keys = ask()
            except NotConfigured as error:
                attempts.append(Attempt(name, error.reason, own_copy(error)))
                continue
            if keys is not None:
                return keys
            attempts.append(Attempt(name, "nothing here selects it"))
        raise self._none_found(attempts)

    def _none_found(self, _: Sequence[Attempt], /) -> ProviderError:
        """Return the error where nobody has keys."""
        if not self.is_selected():
            return self._not_configured()
        fact = f"profile '{self.scope.profile}' of {self.scope.config_file} has no credentials"
        remedy = f"add some, for example with `aws configure --profile {self.scope.profile}`"
        return NotConfigured(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _candidates(self) -> list[Candidate]:
        """Return what is asked, made once for each binding."""
        return self._binding.once("candidates", self._find_candidates)

    def _find_candidates(self) -> list[Candidate]:
        """Return what is asked, in botocore's order."""
        return [
            *self._first_candidates(),
            self._candidate(TokenFileProvider),
            *self._last_candidates(),
        ]

    def _first_candidates(self) -> list[Candidate]:
        """Ours, and then roles."""
        scope = ProfileScope.like(self.scope)
        ours = [self._candidate(row.load(), scope) for row in INSERTED]
        return [*ours, ("assume-role", partial(self._role, Once(self._assuming)))]

    def _last_candidates(self) -> list[Candidate]:
        """What else botocore looks for in a profile."""
        in_credentials, in_config = static_sources(self.scope.files, str(self.scope.profile))
        return [
            self._candidate(SsoProvider),
            ("SharedCredentials", in_credentials),
            self._candidate(LoginProvider),
            self._candidate(ProcessProvider),
            ("SharedConfig", in_config),
        ]

    def _candidate(self, kind: type[Provider], scope: Scope | None = None) -> Candidate:
        """Return one of ours as something to ask, in the scope of the profile."""
        provider = create_provider(kind, self.client_config).bind(scope or self.scope)
        return str(kind.CANONICAL_NAME), partial(self._fetch_from, provider)

    def _fetch_from(self, provider: Provider) -> FrozenCredentials | None:
        """Return the keys of one of ours."""
        return fetch_from(provider)

    def _role(self, assuming: Callable[[], tuple[str, Provider]]) -> FrozenCredentials | None:
        """Assume the role of the profile, if it has one; in a source, static keys go first."""
        values = self.scope.profile_values
        is_static = bool(STATIC & values.keys())
        if not is_role(values) or (self._visited and is_static):
            return None
        way, role = assuming()
        return role._guarded_fetch().through((way,))

    def _assuming(self) -> tuple[str, Provider]:
        """Make what assumes the role; return it with botocore's feature id for its source."""
        visited, config = (*self._visited, str(self.scope.profile)), self.client_config
        found = role_source(str(self.scope.profile), self.scope.profiles, visited)
        if found.problem is not None:
            raise _role_error(self.scope, found.problem)
        inner = replace(self.scope, region_of_chain=self.scope.named_region(config))
        if found.row is not None:
            way = "CREDENTIALS_PROFILE_NAMED_PROVIDER"
            source = _source_provider(found.row, inner, config)
        else:
            way = "CREDENTIALS_PROFILE_SOURCE_PROFILE"
            given = {name: value for name, value in self._code_values.items() if name in _SHARED}
            of_profile = ProfileProvider(**{**given, "profile": found.profile}).bind(inner)
            of_profile._visited, source = visited, of_profile
        role = TemporaryCredentialsProvider(
            params=_role_parameters(self.scope, self.mfa_code_provider, self.FACTORY),
            master_credentials=partial(fetch_from, source),
            mfa_code_provider=self.mfa_code_provider,
            client_config=config,
        )
        return way, role.bind(inner)


from_ini = ProfileProvider


# The keys that a plain session would use.
#
# https://docs.aws.amazon.com/boto3/latest/guide/credentials.html

#: What takes its keys from outside the profile.
_OUTSIDE = (EnvironmentProvider, TokenFileProvider, ContainerProvider, InstanceProvider)


class DefaultChainProvider(ProfileProvider):
    """The keys that a session without any of this package's code would use, ours among them."""

    METHOD = "custom-default-chain"
    CANONICAL_NAME = "CustomDefaultChain"
    FACTORY = "from_default_chain"

    def is_selected(self) -> bool:
        """Always: only asking shows who has keys."""
        return True

    def _none_found(self, attempts: Sequence[Attempt], /) -> ChainError:
        """Return the error where nobody has keys, with a line for each."""
        return ChainError(provider=self.METHOD, attempts=attempts)

    def _find_candidates(self) -> list[Candidate]:
        """Return what is asked, in botocore's order."""
        session = self.scope.unchecked_session
        named = self.scope.profile
        if named != "default" and named not in self.scope.files.full_config["profiles"]:
            raise self._not_configured()  # as a plain session says
        outside = replace(self.scope, profile=None)
        own, token, container, instance = (self._candidate(kind, outside) for kind in _OUTSIDE)
        is_explicit = "profile" in self._code_values or "profile" in session.instance_variables()
        before = ([], []) if is_explicit else ([own], [token])
        last = (OriginalEC2Provider(), BotoProvider())
        return [
            *before[0],
            *self._first_candidates(),
            *before[1],
            self._candidate(TokenFileProvider),
            *self._last_candidates(),
            *((str(one.METHOD), partial(fetch_from, one)) for one in last),
            container,
            instance,
        ]

    def _fetch_from(self, provider: Provider) -> FrozenCredentials | None:
        """Return the keys of one of ours, unless it is for that one that this chain is asked."""
        if is_being_resolved(provider._identity):
            fact = "left out, because it asks for the default chain itself"
            raise NotConfigured(provider=provider.METHOD, error_msg=fact)
        return super()._fetch_from(provider)


from_default_chain = DefaultChainProvider
