"""``Scope``: the session, profile, environment, clock and region of a bound provider."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from ..aws.botocore_errors import native
from ..aws.clients import InnerClients, create
from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import CHAIN, PROFILE, Row
from ..errors import ConfigurationError
from ..profiles import logger
from ..profiles.selection import Selection, select, without_effect
from ..system import Clock, system_environment

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from typing_extensions import Self


@cache
def _private_session() -> Session:
    """Return the session of providers that are used without one."""
    return Session()


def reset() -> None:
    """Let the next provider without a session create a new one, which reads the files again."""
    _private_session.cache_clear()


class Scope:
    """Where the options and inner clients of a bound provider come from."""

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        given_session: Session | None = None,
        *,
        profile: str | None = None,
        is_bare: bool = False,
        outer_region: str | None = None,
        region_of_chain: str | None = None,
        given_files: Session | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        shared_clients: InnerClients | None = None,
    ) -> None:
        """Take what a provider is bound to.

        Args:
            given_session: The caller's session; None: the provider is used without one.
            profile: The profile that selected the provider; None for a provider built in code.
            is_bare: Whether a chain names the provider: then both ``profile`` and the environment
                may set its options.
            outer_region: The region of the session or client that needs credentials.
            region_of_chain: The region of the role that is assumed with these credentials.
            given_files: The session whose files have ``profile``; None: the session itself.
            environ: The environment; None: that of this process.
            clock: The clock; None: that of this machine.
            shared_clients: Inner clients that the identities of one session share; None: there is
                one identity.
        """
        self.given_session, self.given_files = given_session, given_files
        self.profile, self.is_bare = profile, is_bare
        self.outer_region, self.region_of_chain = outer_region, region_of_chain
        self.environ = system_environment() if environ is None else environ
        self.clock = clock or Clock()
        self.shared_clients = shared_clients
        self._clients = InnerClients()
        self._is_checked = False

    @classmethod
    def like(cls, scope: "Scope", **changes: Any) -> "Self":
        """Return a scope of this class that is like ``scope`` except for ``changes``."""
        arguments = {name: value for name, value in vars(scope).items() if name[0] != "_"}
        return cls(**(arguments | changes))

    @property
    def session(self) -> Session:
        """The session that creates inner clients, checked once.

        Raises:
            ConfigurationError: It cannot create any, because its profile does not exist.
        """
        found = self.unchecked_session
        if not self._is_checked:
            native("the AWS config", "the AWS config", "correct it", found.get_scoped_config)
            self._is_checked = True
        return found

    @property
    def unchecked_session(self) -> Session:
        """The session, for what does not depend on its profile."""
        return self.given_session or _private_session()

    @property
    def files(self) -> Session:
        """The session whose config and credentials files have the profile."""
        return self.given_files or self.given_session or _private_session()

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """All profiles of both files."""
        found: Mapping[str, Mapping[str, Any]] = self.files.full_config["profiles"]
        return found

    @property
    def profile_values(self) -> Mapping[str, Any]:
        """The settings of ``profile`` from both files; empty without a profile."""
        if self.profile is None:
            return {}
        values: Mapping[str, Any] = self.files.full_config["profiles"].get(self.profile, {})
        return values

    @property
    def config_file(self) -> str:
        """The path of the AWS config file, for the remedy of an error."""
        return str(self.files.get_config_variable("config_file"))

    @property
    def profile_in_file(self) -> str:
        """The profile and the path of the AWS config file, for an error."""
        return f"profile '{self.profile}' of {self.config_file}"

    def allows(self, _: str | None, /) -> bool:
        """Whether the provider with this ``METHOD`` may be selected here."""
        return True

    def region(self, client_config: Mapping[str, Any] | None, id_region: str | None = None) -> str:
        """Return the region of an inner client (see ``named_region``); by default us-east-1.

        Raises:
            ConfigurationError: See ``session``.
        """
        return self.named_region(client_config, id_region) or "us-east-1"

    def named_region(
        self, client_config: Mapping[str, Any] | None, id_region: str | None = None
    ) -> str | None:
        """Return the region that something names for an inner client; None if nothing does.

        ``id_region`` is the one that a Cognito ID names.
        """
        given = client_config or {}
        config = given.get("config")
        return (
            given.get("region_name")
            or (config and config.region_name)
            or id_region
            or self.region_of_chain
            or self.profile_values.get("region")
            or self.outer_region
            or self.environ.get("AWS_REGION")
            or self.environ.get("AWS_DEFAULT_REGION")
            or self.session.get_config_variable("region")
        )

    def client(
        self,
        service: str,
        client_config: Mapping[str, Any] | None,
        id_region: str | None = None,
        credentials: FrozenCredentials | None = None,
    ) -> "BaseClient":
        """Return the inner client for ``service``, created once for each binding and process.

        With ``credentials`` it signs, and is created again when they change. Without, it does not
        sign and holds nothing of an identity: bindings without a session of the caller share it,
        and so do the identities of one session, so that a thousand identities do not need a
        thousand clients.

        Args:
            service: The name of the service.
            client_config: The user's arguments for the client, or None.
            id_region: The region that a Cognito ID names.
            credentials: The credentials to sign with, or None.

        Raises:
            ConfigurationError: See ``session``.
        """
        region = self.region(client_config, id_region)
        shared, clients = self.shared_clients, self._clients
        is_single = self.given_session is not None and shared is None
        is_common = not is_single and self.environ is system_environment()
        if shared is not None and credentials is None and client_config is None:
            clients = shared  # which keeps it while no identity is in use
        arguments = (self.session, self._variables, service, region, client_config, credentials)
        return clients.get(*arguments, is_common=is_common)

    def new_client(
        self, service: str, client_config: Mapping[str, Any] | None, id_region: str | None = None
    ) -> "BaseClient":
        """Return an inner client that is not shared with other callers."""
        region = self.region(client_config, id_region)
        return create(self.session, self._variables, service, region, client_config)

    def _variables(self) -> Mapping[str, str]:
        return self.environ


class ProfileScope(Scope):
    """The scope of providers that a profile selects, for itself or as the source of its role."""

    def __init__(self, *session: Any, source: Row | None = None, **arguments: Any) -> None:
        """Take the arguments of ``Scope``, and the provider that ``credential_source`` names.

        Without one the profile selects a provider for itself.
        """
        super().__init__(*session, **arguments)
        self._source = source
        self._selection: Selection | None = None

    def allows(self, method: str | None, /) -> bool:
        """Whether the profile selects the provider ``method``.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        if self._selection is None:
            self._selection = self._select()
        row = self._selection.row
        return row is not None and method == row.method

    def _select(self) -> Selection:
        found, name = select(self.profile_values, self._source), str(self.profile)
        if found.row is not None and found.problem is not None:
            fact = f"{self.profile_in_file} {found.problem}"
            raise ConfigurationError(provider=found.row.method, error_msg=fact)
        is_own = self._source is None
        for fact in without_effect(self.profile_values, found.row) if is_own else ():
            logger.warning("Profile '%s' of %s %s", name, self.config_file, fact)
        if found.row is None:
            return found
        has_static = "aws_access_key_id" in self.profile_values
        if found.key and has_static and found.row not in (CHAIN, PROFILE):
            logger.warning(
                "Profile '%s' of %s has both %s and aws_access_key_id: the credentials of %s are "
                "used; remove one of the two",
                name,
                self.config_file,
                found.key,
                found.row.method,
            )
        return found
