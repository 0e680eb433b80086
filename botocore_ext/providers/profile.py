"""Keys of a profile in the AWS config and credentials files, whatever kind they are of.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from ..declaration import values
from ..declaration.files import FilesProvider
from ..declaration.services import ServiceProvider
from ..errors import Attempt, NotConfigured, ProviderError
from ..keys import Keys
from ..options import option
from ..provider import Provider
from ..registry import PROVIDERS
from ..resolving.hops import STATIC_KEYS, is_role, made, named_source, parameters, source_profile
from ..resolving.outcomes import keys_or_reason
from ..resolving.profiles import ProfileScope
from ..scope import Scope
from ..sources.static_keys import static_sources
from ..threads.concurrency import Once, own_copy
from .login import LoginProvider
from .process import ProcessProvider
from .sso import SsoProvider
from .temporary import TemporaryCredentialsProvider
from .token_file import TokenFileProvider

#: A name, and what gives keys or None.
Asked: TypeAlias = tuple[str, Callable[[], Keys | None]]

#: Options that hold for the profiles of a role's sources, too; the files come with the scope.
_SHARED = {"mfa_code_provider", "client_config"}


class ProfileProvider(FilesProvider, ServiceProvider):
    """The keys of a profile: ours, static ones, a process, a login, SSO, a role on any of them."""

    METHOD = "custom-profile"
    CANONICAL_NAME = "CustomProfile"
    FACTORY = "from_ini"

    mfa_code_provider: Callable[[str], str | Awaitable[str]] | None = option(
        default=None,
        code="ask_for_code",
        secret=True,
        parse=values.function,
        help="Called with `mfa_serial` at every fetch of a role that has one, once its source "
        "credentials are there; returns the code. Nothing else asks for one.",
    )
    ignore_cache: bool = option(
        default=False,
        example="true",
        code="True",
        parse=values.flag,
        help="Whether to read the files at every fetch; otherwise they are read once for each "
        "session.",
    )

    #: The profiles of roles that this one is the source of, outermost first.
    visited: tuple[str, ...] = ()

    def is_selected(self) -> bool:
        """Whether there is such a profile."""
        if self.ignore_cache:
            self.read_again()
        return self.scope.profile in self.scope.files.full_config["profiles"]

    def obtain(self) -> Keys:
        """See ``Provider.obtain``; what is asked knows its place in a circle itself."""
        return self.fetch()

    def fetch(self) -> Keys:
        """Obtain the keys of the first kind that the profile is of.

        Raises:
            NotConfigured: It is of none.
        """
        if self.ignore_cache:
            self.read_again()
        attempts = []
        for name, ask in self._asked():
            try:
                keys = ask()
            except NotConfigured as error:
                attempts.append(Attempt(name, error.reason, own_copy(error)))
                continue
            if keys is not None:
                return keys
            attempts.append(Attempt(name, "nothing here selects it"))
        raise self.nothing(attempts)

    def nothing(self, _: Sequence[Attempt], /) -> ProviderError:
        """Return the error where nobody has keys."""
        if not self.is_selected():
            return self.not_here()
        fact = f"profile '{self.scope.profile}' of {self.scope.config_file} has no credentials"
        remedy = f"add some, for example with `aws configure --profile {self.scope.profile}`"
        return NotConfigured(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _asked(self) -> list[Asked]:
        """Return what is asked, made once for each binding."""
        bound: list[Asked] = vars(self).setdefault("_bound", [])
        if not bound:
            bound[:] = self.asked()
        return bound

    def asked(self) -> list[Asked]:
        """Return what is asked, in botocore's order."""
        return [*self.first_asked(), self.asked_of(TokenFileProvider), *self.last_asked()]

    def first_asked(self) -> list[Asked]:
        """Ours, and then roles."""
        scope = ProfileScope.like(self.scope)
        ours = [self.asked_of(kind, scope) for kind in PROVIDERS]
        return [*ours, ("assume-role", partial(self._role, Once(self._assuming)))]

    def last_asked(self) -> list[Asked]:
        """What else botocore looks for in a profile."""
        in_credentials, in_config = static_sources(self.scope.files, str(self.scope.profile))
        return [
            self.asked_of(SsoProvider),
            ("SharedCredentials", in_credentials),
            self.asked_of(LoginProvider),
            self.asked_of(ProcessProvider),
            ("SharedConfig", in_config),
        ]

    def asked_of(self, kind: type[Provider], scope: Scope | None = None) -> Asked:
        """Return one of ours as something to ask, in the scope of the profile."""
        provider = made(kind, self.client_config).bind(scope or self.scope)
        return str(kind.CANONICAL_NAME), partial(self.ask, provider)

    def ask(self, provider: Provider) -> Keys | None:
        """Return the keys of one of ours."""
        return keys_or_reason(provider)

    def _role(self, assuming: Callable[[], tuple[str, Provider]]) -> Keys | None:
        """Assume the role of the profile, if it has one; in a source, static keys go first."""
        is_static = bool(STATIC_KEYS & self.scope.profile_values.keys())
        if not is_role(self.scope) or (self.visited and is_static):
            return None
        way, role = assuming()
        return role.obtain().through((way,))

    def _assuming(self) -> tuple[str, Provider]:
        """Make what assumes the role; return it with botocore's feature id for its source."""
        visited, config = (*self.visited, str(self.scope.profile)), self.client_config
        named = source_profile(self.scope, visited)
        inner = replace(self.scope, region_of_chain=self.scope.named_region(config))
        way, source = "CREDENTIALS_PROFILE_NAMED_PROVIDER", None
        if named is not None:
            given = {name: value for name, value in self.given().items() if name in _SHARED}
            source = ProfileProvider(**{**given, "profile": named}).bind(inner)
            way, source.visited = "CREDENTIALS_PROFILE_SOURCE_PROFILE", visited
        role = TemporaryCredentialsProvider(
            params=parameters(self.scope, self.mfa_code_provider, self.FACTORY),
            master_credentials=partial(keys_or_reason, source or named_source(inner, config)),
            mfa_code_provider=self.mfa_code_provider,
            client_config=config,
        )
        return way, role.bind(inner)


from_ini = ProfileProvider
