"""Credentials of a role, from STS AssumeRole.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botocore.credentials import Credentials

from ..aws.clients import problems_of
from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import load
from ..errors import ConfigurationError, MfaCodeError
from ..options import types
from ..options.option import option
from ..refresh.credentials import ProviderCredentials
from ..runtime.awaiting import result_of
from ..runtime.deadline import pause_budget
from .function import Source, credentials_or_provider
from .signed import SignedProvider

#: Characters of an MFA code.
_MFA_CODE_LENGTH = 6


class TemporaryCredentialsProvider(SignedProvider):
    """Credentials of a role that is assumed with other credentials."""

    METHOD = "custom-temporary-credentials"
    CANONICAL_NAME = "CustomTemporaryCredentials"
    FACTORY = "from_temporary_credentials"
    FEATURE_IDS = ("CREDENTIALS_STS_ASSUME_ROLE",)

    params: Mapping[str, Any] = option(
        code="{'RoleArn': 'arn:aws:iam::123456789012:role/App'}",
        selects=True,
        required=True,
        secret=True,
        parse=types.mapping,
        help="The parameters of AssumeRole, as `client.assume_role` takes them.",
    )
    master_credentials: Source | Credentials | FrozenCredentials | Mapping[str, Any] | None = (
        option(
            code="from_env()",
            secret=True,
            parse=credentials_or_provider,
            help="The credentials that assume the role: a provider, a chain, a callable, or "
            "credentials. By default those of `from_default_chain`.",
        )
    )
    mfa_code_provider: Callable[[str], str | Awaitable[str]] | None = option(
        code="ask_for_code",
        secret=True,
        parse=types.function,
        help="Called on every refresh with the serial number of the MFA device, after the master "
        "credentials were retrieved; returns the code. Nothing else prompts for it.",
    )

    def check(self) -> None:
        """See ``Provider.check``."""
        super().check()
        if "aws_access_key_id" in (self.client_config or {}):
            raise ConfigurationError(
                provider=self.METHOD,
                error_msg="client_config has aws_access_key_id: pass the credentials that assume "
                f"the role as master_credentials=FrozenCredentials(...) to {self.FACTORY}()",
            )
        params = self.params
        if _needs_mfa_code(params) and self.mfa_code_provider is None:
            raise self._mfa_prompt_missing(params["SerialNumber"])

    def _subscribe(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """See ``Provider._subscribe``; a new token of the master is a new token of the role."""
        super()._subscribe(credentials, distance)
        self._subscribe_to_master(credentials, distance)

    def fetch(self) -> FrozenCredentials:
        """Assume the role: one round trip, after those for the master credentials.

        Raises:
            ConfigurationError: AssumeRole does not accept the parameters; no request was sent.
        """
        params = self._parameters()
        master = self._resolve_master()
        _, credentials = master
        client = self.scope.client("sts", self.client_config, credentials=credentials)
        if _needs_mfa_code(params):
            params["TokenCode"] = self._mfa_code(params["SerialNumber"])
        answer = self._call_signed(client, "assume_role", params, master)
        found = self._credentials_in(answer, f"the role {params['RoleArn']}")
        return found.with_features(credentials.features)

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters, validated as botocore does it.

        Raises:
            ConfigurationError: AssumeRole does not accept them.
        """
        params = {"RoleSessionName": f"botocore-ext-{self.scope.clock.now():.0f}", **self.params}
        problems = problems_of(self.scope.session, "sts", "AssumeRole", params)
        if problems is None:
            return params
        fact = f"AssumeRole does not accept the params passed to {self.FACTORY}() ({problems})"
        remedy = f"pass params={self._option_named('params').code_example}"
        if self.scope.profile is not None:
            where = self.scope.profile_in_file
            fact = f"AssumeRole does not accept the settings of {where} ({problems})"
            remedy = (
                "correct role_arn, role_session_name, external_id, mfa_serial or "
                "duration_seconds there"
            )
        raise ConfigurationError(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _mfa_code(self, serial: str) -> str:
        """Return the code of an MFA device, from the callback.

        Raises:
            ConfigurationError: There is no callback.
            MfaCodeError: It did not return a code.
        """
        callback = self.mfa_code_provider
        if callback is None:
            raise self._mfa_prompt_missing(serial)

        def ask_for_code() -> object:
            return result_of(callback(serial), self.METHOD, "mfa_code_provider")

        returned = pause_budget(ask_for_code)
        code = returned.strip() if isinstance(returned, str) else ""
        if len(code) == _MFA_CODE_LENGTH and code.isprintable():
            return code
        fact = f"mfa_code_provider returned no code for {serial}"
        remedy = "it must return six digits as a string"
        raise MfaCodeError(provider=self.METHOD, error_msg=f"{fact}: {remedy}")

    def _mfa_prompt_missing(self, serial: str) -> ConfigurationError:
        return ConfigurationError(
            provider=self.METHOD,
            error_msg=f"the role needs a code of the MFA device {serial}, but there is no callback "
            f"for it: pass mfa_code_provider=ask_for_code to {self.FACTORY}()",
        )

    def _master_source(self) -> Any:
        """See ``SignedProvider._master_source``."""
        master = self.master_credentials
        return load("from_default_chain")() if master is None else master

    @property
    def _master_purpose(self) -> str:
        """See ``SignedProvider._master_purpose``."""
        return f"assume the role {self.params['RoleArn']}"


def _needs_mfa_code(params: Mapping[str, Any]) -> bool:
    return "SerialNumber" in params and "TokenCode" not in params


from_temporary_credentials = TemporaryCredentialsProvider
