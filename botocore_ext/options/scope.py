"""``Scope``: the session, profile, environment, clock and region of a bound provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from ..aws.botocore_errors import native
from ..aws.clients import InnerClients, create
from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import Row
from ..errors import ConfigurationError
from ..profiles import logger
from ..profiles.selection import CHAIN, Selection, select, warn_if_misspelt
from ..system import Clock, system_environment

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from typing_extensions import Self


@cache
def _private_session() -> botocore.session.Session:
    """Return the session behind providers that are used without one."""
    return botocore.session.Session()


def reset() -> None:
    """Let the next provider without a session make a new one, with the files as they are then."""
    _private_session.cache_clear()


@dataclass(frozen=True, eq=False)
class Scope:
    """Where the options and inner clients of a bound provider come from."""

    #: None: the provider is used without a session of the caller's.
    given_session: botocore.session.Session | None = None
    #: The profile that selected the provider; None for a provider built in code.
    profile: str | None = None
    #: A chain names the provider: both ``profile`` and the environment may set its options.
    is_bare: bool = False
    #: The region of the session or client that needs credentials.
    outer_region: str | None = None
    #: The region of the role that is assumed with these credentials: a chain of roles has one.
    region_of_chain: str | None = None
    #: The session whose files have ``profile``; None: the session itself.
    given_files: botocore.session.Session | None = field(default=None, repr=False)
    environ: Mapping[str, str] = field(default_factory=system_environment, repr=False)
    clock: Clock = field(default_factory=Clock, repr=False)
    _clients: InnerClients = field(default_factory=InnerClients, init=False, repr=False)

    @classmethod
    def like(cls, scope: "Scope", **changes: Any) -> "Self":
        """Return a scope of this class that is like ``scope`` but for ``changes``."""
        taken = {one.name: getattr(scope, one.name) for one in fields(Scope) if one.init}
        return cls(**(taken | changes))

    @property
    def session(self) -> botocore.session.Session:
        """The session that inner clients are made with, looked at once.

        Raises:
            ConfigurationError: It is of no use, because its profile is not there.
        """
        found = self.unchecked_session
        # Not a cached_property: on Python 3.10 and 3.11 that has a lock, which a fork would copy.
        if "_is_looked_at" not in vars(self):
            native("the AWS config", "the AWS config", "correct it", found.get_scoped_config)
            vars(self)["_is_looked_at"] = True
        return found

    @property
    def unchecked_session(self) -> botocore.session.Session:
        """The session, for what does not depend on its profile."""
        return self.given_session or _private_session()

    @property
    def files(self) -> botocore.session.Session:
        """The session whose config and credentials files have the profile."""
        return self.given_files or self.unchecked_session

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """All profiles of both files."""
        found: Mapping[str, Mapping[str, Any]] = self.files.full_config["profiles"]
        return found

    @property
    def profile_values(self) -> Mapping[str, Any]:
        """The settings of ``profile`` from both files; empty where there is none."""
        if self.profile is None:
            return {}
        values: Mapping[str, Any] = self.files.full_config["profiles"].get(self.profile, {})
        return values

    @property
    def config_file(self) -> str:
        """The path of the AWS config file, for the remedy of an error."""
        return str(self.files.get_config_variable("config_file"))

    def allows(self, _: str | None, /) -> bool:
        """Whether the provider with this ``METHOD`` may be selected here."""
        return True

    def region(self, client_config: Mapping[str, Any] | None, id_region: str | None = None) -> str:
        """Return the region of an inner client (see ``named_region``)."""
        return self.named_region(client_config, id_region) or "us-east-1"

    def named_region(
        self, client_config: Mapping[str, Any] | None, id_region: str | None = None
    ) -> str | None:
        """Return the region that something names for an inner client; None if nothing does.

        Args:
            client_config: What the user gave for the inner client.
            id_region: The region that a Cognito id names.
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
        keys: FrozenCredentials | None = None,
    ) -> "BaseClient":
        """Return the inner client for ``service``, made once for each binding and process.

        With ``keys`` it signs with them, and is made again when they change. Without, bindings that
        have no session of the caller's share it, so that a thousand identities do not mean a
        thousand clients: it is unsigned and holds nothing of an identity.
        """
        region = self.region(client_config, id_region)
        is_common = self.given_session is None and self.environ is system_environment()
        made_of = (self.session, self.environ, service, region, client_config, keys)
        return self._clients.get(*made_of, is_common=is_common)

    def new_client(
        self, service: str, client_config: Mapping[str, Any] | None, id_region: str | None = None
    ) -> "BaseClient":
        """Return an inner client that is not shared with other callers."""
        region = self.region(client_config, id_region)
        return create(self.session, self.environ, service, region, client_config)


@dataclass(frozen=True, eq=False)
class ProfileScope(Scope):
    """The scope of providers that a profile selects, for itself or as the source of its role."""

    #: What the profile's ``credential_source`` names; None: the profile selects for itself.
    source: Row | None = None
    _selection: list[Selection] = field(default_factory=list, init=False, repr=False)

    def allows(self, method: str | None, /) -> bool:
        """Whether the profile selects the provider ``method``.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        # Not a cached_property: on Python 3.10 and 3.11 that has a lock, which a fork would copy.
        if not self._selection:
            self._selection.append(self._select())
        row = self._selection[0].row
        return row is not None and method == row.method

    def _select(self) -> Selection:
        values, name = self.profile_values, str(self.profile)
        if self.source is None:
            for key in values:
                warn_if_misspelt(key, name)
        found = select(values, self.source)
        if found.row is None:
            return found
        if found.problem is not None:
            where = f"profile '{name}' of {self.config_file}"
            raise ConfigurationError(
                provider=found.row.method, error_msg=f"{where} {found.problem}"
            )
        if found.key and "aws_access_key_id" in values and found.row is not CHAIN:
            logger.warning(
                "Profile '%s' has both %s and aws_access_key_id: the credentials of %s are used; "
                "remove one of the two",
                name,
                found.key,
                found.row.method,
            )
        return found
