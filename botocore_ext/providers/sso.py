"""Credentials of a role in AWS IAM Identity Center, with the token of ``aws sso login``.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.credentials import SSOCredentialFetcher
from botocore.utils import SSOTokenLoader

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FieldError, FrozenCredentials, check_sendable, member
from ..errors import ConfigurationError, FetchError
from ..options import types
from ..options.option import option
from ..runtime.deadline import within_budget
from .base import ServiceProvider
from .files import FilesProvider
from .token_cache import SessionToken, TokenCache

if TYPE_CHECKING:
    from botocore.client import BaseClient


#: The directory in which AWS CLI caches the tokens.
TOKENS = "~/.aws/sso/cache"


class SsoProvider(FilesProvider, ServiceProvider):
    """Credentials of an account and role, for a user who is logged in to IAM Identity Center."""

    METHOD = "sso"
    CANONICAL_NAME = "CustomSso"
    FACTORY = "from_sso"
    _HAS_OWN_REGION = True

    sso_start_url: str | None = option(
        ini="sso_start_url",
        example="https://d-abc123.awsapps.com/start",
        selects=True,
        same_origin=True,
        parse=types.text,
        help="The start URL of IAM Identity Center.",
    )
    sso_account_id: str = option(
        ini="sso_account_id",
        example="123456789012",
        selects=True,
        same_origin=True,
        required=True,
        parse=types.text,
        help="The account.",
    )
    sso_region: str | None = option(
        ini="sso_region",
        example="us-east-1",
        selects=True,
        same_origin=True,
        parse=types.text,
        help="The region of IAM Identity Center.",
    )
    sso_role_name: str = option(
        ini="sso_role_name",
        example="SampleRole",
        selects=True,
        same_origin=True,
        required=True,
        parse=types.text,
        help="The role (permission set).",
    )
    sso_session: str | None = option(
        ini="sso_session",
        example="my-sso",
        selects=True,
        same_origin=True,
        parse=types.text,
        help="The `[sso-session]` section of the config file with start URL and region. Its token "
        "is refreshed automatically.",
    )
    client: "BaseClient | None" = option(
        code="boto3.client('sso', config=Config(signature_version=UNSIGNED))",
        parse=types.client_with("get_role_credentials"),
        help="A ready-made SSO client, used instead of an inner one.",
    )

    def is_selected(self) -> bool:
        """Whether any option is set in code, or the profile has an account or a role."""
        values = self.scope.profile_values
        return self._is_set_in_code() or any(key in values for key in self._selecting_keys())

    def _selecting_keys(self) -> tuple[str, ...]:
        """See ``FilesProvider._selecting_keys``; other settings may be for tokens only."""
        return ("sso_account_id", "sso_role_name")

    def _features(self) -> tuple[str, ...]:
        """See ``Provider._features``."""
        kind = "SSO" if self.sso_session else "SSO_LEGACY"
        return (f"CREDENTIALS_PROFILE_{kind}", f"CREDENTIALS_{kind}")

    def check(self) -> None:
        """See ``Provider.check``; start URL and region may be in the ``sso-session`` section."""
        super().check()
        self._start()

    def fetch(self) -> FrozenCredentials:
        """Call GetRoleCredentials: one round trip, and one more to refresh the token."""
        start_url, region = self._start()
        session, cache = self.sso_session, TokenCache(TOKENS)
        client = self._client("sso", Config(region_name=region))  # its errors are not the token's
        token: dict[str, Any] = {"token_loader": SSOTokenLoader(cast("Any", cache))}
        if session is not None:
            section = {"name": session, "sso_start_url": start_url, "sso_region": region}
            provider = SessionToken(cache, section, self._client, self.scope.clock.utc)
            token = {"token_provider": provider, "sso_session_name": session}
        fetcher = SSOCredentialFetcher(
            start_url,
            region,
            self.sso_role_name,
            self.sso_account_id,
            cast("Any", lambda *_, **__: _Portal(client)),
            time_fetcher=self.scope.clock.utc,
            **token,
        )
        source = f"the token file {cache.file_of(_digest(session or start_url))}"

        def work() -> FrozenCredentials:
            return FrozenCredentials.from_mapping(fetcher.fetch_credentials())

        in_time = partial(within_budget, "IAM Identity Center", work)
        return native(self.METHOD, source, self._remedy(), in_time)

    def _start(self) -> tuple[str, str]:
        """Return start URL and region, from the profile or its ``sso-session`` section.

        Raises:
            ConfigurationError: One is missing, or the profile contradicts the section.
        """
        return self._own_or_shared("sso_start_url"), self._own_or_shared("sso_region")

    def _own_or_shared(self, name: str) -> str:
        setting = self._option_named(name)
        session, own = self.sso_session, self._option_value(setting)
        section = self.scope.files.full_config.get("sso_sessions", {}).get(session)
        shared = (section or {}).get(name)
        if own and shared and own != shared:
            raise self._section_error(f"has a different {name}: remove {name} next to sso_session")
        if own or shared:
            return str(own or shared)
        if session is None:
            raise self._missing(setting)
        fact = "does not exist" if section is None else f"has no {name}"
        raise self._section_error(f"{fact}: add it with `aws configure sso`")

    def _section_error(self, fact: str) -> ConfigurationError:
        sso_session = self._option_named("sso_session")
        origin: Any = self._resolution(sso_session).origin  # there is one: the section is named
        section = f"[sso-session {self.sso_session}] of {self.scope.config_file}"
        fact = f"{origin.where(sso_session)} names {section}, which {fact}"
        return ConfigurationError(provider=self.METHOD, error_msg=fact)

    def _client(self, service: str, config: Any) -> "BaseClient":
        if self.client is not None and service == "sso":
            return self.client
        return self.scope.client(service, self.client_config, config.region_name)

    def _remedy(self) -> str:
        if self.sso_session:
            return f"log in again with `aws sso login --sso-session {self.sso_session}`"
        if self._is_set_in_code():
            return "log in again with `aws sso login` and a profile that has this sso_start_url"
        return f"log in again with `aws sso login --profile {self.scope.profile}`"


class _Portal:
    """The client of botocore's fetcher: checks each field that is sent or received."""

    def __init__(self, client: Any) -> None:
        self._client, self.exceptions = client, client.exceptions

    def get_role_credentials(self, **parameters: Any) -> Mapping[str, Any]:
        check_sendable("accessToken", parameters["accessToken"])
        answer = self._client.get_role_credentials(**parameters)
        try:
            return {"roleCredentials": _role_credentials(answer)}
        except FieldError as error:
            role = parameters["roleName"]
            fact = f"the answer for the role {role} has no usable credentials ({error})"
        raise FetchError(provider=SsoProvider.METHOD, error_msg=f"{fact}: check the endpoint")


def _role_credentials(answer: Any) -> Mapping[str, Any]:
    credentials = member(answer, "roleCredentials")
    expiration = credentials.get("expiration")
    if not isinstance(expiration, (int, float)):
        raise FieldError("expiration", "is not a number of milliseconds")
    FrozenCredentials.from_mapping({**credentials, "expiration": expiration / 1000})
    return credentials


def _digest(name: str) -> str:
    """Return the name of a token file, as AWS CLI forms it."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


from_sso = SsoProvider
