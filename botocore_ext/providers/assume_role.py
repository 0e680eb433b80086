"""Keys of a role, from STS AssumeRole.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.credentials import CredentialProvider, Credentials
from botocore.exceptions import ClientError

from ..aws.clients import call, problems_of
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..catalogue import load
from ..errors import ConfigurationError, FetchError, MfaCodeError, ProviderError
from ..options import types
from ..options.option import option
from ..refresh.credentials import ProviderCredentials
from ..runtime.awaiting import awaited
from ..runtime.deadline import pause_budget
from .base import Provider, ServiceProvider
from .function import Source, keys_or_provider

# Codes of MFA devices: a callback gives them, and nobody is asked on a terminal.

#: Characters of the codes that STS accepts.
_LENGTH = 6


def is_wanted(params: Mapping[str, Any]) -> bool:
    """Whether AssumeRole with these parameters takes a code that is not among them."""
    return "SerialNumber" in params and "TokenCode" not in params


def code(serial: str, ask: Callable[[str], Any] | None, provider: "Provider") -> str:
    """Return the code of a device.

    Args:
        serial: Its serial number.
        ask: The callback, if there is one.
        provider: Whose it is, for an error.

    Raises:
        ConfigurationError: There is none.
        MfaCodeError: It returned no code.
    """
    if ask is None:
        raise nobody_to_ask(serial, provider)

    def answered() -> object:
        return awaited(ask(serial), provider.METHOD, "mfa_code_provider")

    given = pause_budget(answered)
    found = given.strip() if isinstance(given, str) else ""
    if len(found) == _LENGTH and found.isprintable():
        return found
    fact = f"mfa_code_provider returned no code for {serial}: it must return six digits as a string"
    raise MfaCodeError(provider=provider.METHOD, error_msg=fact)


def nobody_to_ask(serial: str, provider: "Provider") -> ConfigurationError:
    """Return the error where there is no callback."""
    return ConfigurationError(
        provider=provider.METHOD,
        error_msg=f"the role is assumed with a code of the MFA device {serial}, and there is "
        f"nobody to ask: pass mfa_code_provider=ask_for_code to {provider.FACTORY}()",
    )


#: With these a service says that keys have expired before their time.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"})


class TemporaryCredentialsProvider(ServiceProvider):
    """Keys of a role that is assumed with other keys."""

    METHOD = "custom-temporary-credentials"
    CANONICAL_NAME = "CustomTemporaryCredentials"
    FACTORY = "from_temporary_credentials"
    FEATURE_IDS = ("CREDENTIALS_STS_ASSUME_ROLE",)

    params: Mapping[str, Any] = option(
        default=None,
        code="{'RoleArn': 'arn:aws:iam::123456789012:role/App'}",
        selects=True,
        required=True,
        secret=True,
        parse=types.mapping,
        help="The parameters of AssumeRole, as `client.assume_role` takes them.",
    )
    master_credentials: Source | Credentials | FrozenCredentials | Mapping[str, Any] | None = (
        option(
            default=None,
            code="from_env()",
            secret=True,
            parse=keys_or_provider,
            help="The credentials that assume the role: a provider, a chain, a callable, or "
            "credentials. By default those of `from_default_chain`.",
        )
    )
    mfa_code_provider: Callable[[str], str | Awaitable[str]] | None = option(
        default=None,
        code="ask_for_code",
        secret=True,
        parse=types.function,
        help="Called with the serial number of the MFA device, once the master credentials are "
        "there, at every fetch; returns the code. Nothing else asks for one.",
    )

    def check(self) -> None:
        """See ``Provider.check``."""
        super().check()
        if "aws_access_key_id" in (self.client_config or {}):
            raise ConfigurationError(
                provider=self.METHOD,
                error_msg="client_config has aws_access_key_id: pass the keys that assume the "
                f"role as master_credentials=FrozenCredentials(...) to {self.FACTORY}()",
            )
        params = self.params
        if is_wanted(params) and self.mfa_code_provider is None:
            raise nobody_to_ask(params["SerialNumber"], self)

    def _subscribe(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """See ``Provider._subscribe``; a new token of the master is a new token of the role."""
        super()._subscribe(credentials, distance)
        master = self._master()
        if isinstance(master, (Provider, ProviderCredentials)):
            master._subscribe(credentials, distance + 1)

    def fetch(self) -> FrozenCredentials:
        """Assume the role: one round trip, beside those for the master credentials.

        Raises:
            ConfigurationError: AssumeRole does not take these parameters; nothing was asked.
        """
        params = self._parameters()
        master, keys = self._master_keys()
        client = self.scope.client("sts", self.client_config, keys=keys)
        if is_wanted(params):
            params["TokenCode"] = code(params["SerialNumber"], self.mfa_code_provider, self)
        try:
            answer = call(client, "assume_role", params)
        except ClientError as error:
            is_expired = error.response.get("Error", {}).get("Code") in _EXPIRED
            if is_expired and isinstance(master, ProviderCredentials):
                master.invalidate(keys.access_key)
            raise
        try:
            return FrozenCredentials.from_sts(answer).through(keys.features)
        except FieldError as error:
            role = params["RoleArn"]
            fact = f"the answer for the role {role} has no usable credentials ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters, checked as botocore checks them."""
        params = {"RoleSessionName": f"botocore-ext-{self.scope.clock.now():.0f}", **self.params}
        problems = problems_of(self.scope.session, "sts", "AssumeRole", params)
        if problems is None:
            return params
        fact = f"params passed to {self.FACTORY}() are not those of AssumeRole ({problems})"
        remedy = f"pass params={self._option_named('params').code_example}"
        if self.scope.profile is not None:
            where = f"profile '{self.scope.profile}' of {self.scope.config_file}"
            fact = f"AssumeRole does not take what {where} says ({problems})"
            remedy = (
                "correct role_arn, role_session_name, external_id, mfa_serial or "
                "duration_seconds there"
            )
        raise ConfigurationError(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _master(self) -> CredentialProvider | Credentials:
        """Return who has the master credentials, bound once for each binding of this."""
        return self._binding.once("master", self._bind_master)

    def _bind_master(self) -> CredentialProvider | Credentials:
        found: Any = self.master_credentials
        if found is None:
            found = load("from_default_chain")()
        if isinstance(found, Provider):
            region = self.scope.named_region(self.client_config)
            return found.bind(replace(self.scope, region_of_chain=region, profile=None))
        master: CredentialProvider | Credentials = found
        return master

    def _master_keys(self) -> tuple[Credentials, FrozenCredentials]:
        """Return the keys that assume the role; where there are none, no other role may be taken.

        Raises:
            FetchError: There are none.
        """
        master = self._master()
        reason = (
            master._reason_not_selected()
            if isinstance(master, Provider)
            else "their provider has none"
        )
        try:
            found = master if isinstance(master, Credentials) else master.load()
            if found is not None:
                return found, FrozenCredentials.from_credentials(found)
        except ProviderError as error:
            if not error.try_next_link:
                raise
            reason = error.reason
        except FieldError as error:
            reason = str(error)
        fact = f"there are no keys to assume the role {self.params['RoleArn']} with: {reason}"
        raise FetchError(provider=self.METHOD, error_msg=fact)


from_temporary_credentials = TemporaryCredentialsProvider
