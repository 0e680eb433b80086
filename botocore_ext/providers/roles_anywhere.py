"""Credentials of a role, from IAM Roles Anywhere.

https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
"""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..aws.clients import call
from ..aws.frozen_credentials import FrozenCredentials, member
from ..errors import ConfigurationError, FetchError
from ..options import references, types
from ..options.option import option
from ..system import in_home, is_readable_by_all, text_of
from .base import ServiceProvider

if TYPE_CHECKING:
    from ..aws.x509 import X509Auth

logger = logging.getLogger(__name__)


class Signer(Protocol):
    """An object that signs with a private key, such as one in an HSM or an agent."""

    def sign(self, data: bytes, /) -> bytes:  # pyright: ignore[reportReturnType] - of a protocol
        """Return the signature with SHA-256: PKCS #1 v1.5 for RSA, DER for ECDSA."""


def _path_or_signer(value: object) -> object:
    """The path of a file, or an object that signs."""
    return value if callable(getattr(value, "sign", None)) else types.path(value)


class RolesAnywhereProvider(ServiceProvider):
    """Credentials of a role, for an X.509 certificate, from IAM Roles Anywhere (extra `x509`)."""

    METHOD = "custom-roles-anywhere"
    CANONICAL_NAME = "CustomRolesAnywhere"
    FACTORY = "from_roles_anywhere"

    trust_anchor_arn: str = option(
        ini="roles_anywhere_trust_anchor_arn",
        example="arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/TA",
        selects=True,
        required=True,
        parse=types.regional_arn,
        help="The trust anchor. Its region is that of the call.",
    )
    profile_arn: str = option(
        ini="roles_anywhere_profile_arn",
        example="arn:aws:rolesanywhere:eu-west-1:123456789012:profile/P",
        required=True,
        parse=types.arn,
        help="The profile of IAM Roles Anywhere.",
    )
    role_arn: str = option(
        ini="role_arn",
        example="arn:aws:iam::123456789012:role/Server",
        required=True,
        parse=types.arn,
        help="The role to assume.",
    )
    certificate: str = option(
        ini="roles_anywhere_certificate",
        example="/etc/pki/server.pem",
        required=True,
        parse=types.path,
        help="The PEM file of the certificate, followed by those of its issuers if the trust "
        "anchor did not issue it itself. Read on every refresh, because it is renewed.",
    )
    private_key: str | Signer = option(
        ini="roles_anywhere_private_key",
        example="/etc/pki/server.key",
        required=True,
        parse=_path_or_signer,
        help="The PEM file of the private key (RSA, P-256 or P-384), read on every refresh; in "
        "code also an object with `sign(data)`, such as a key in an HSM.",
    )
    passphrase: references.Token | None = option(
        ini="roles_anywhere_passphrase",
        example="env://PASSPHRASE",
        code="get_passphrase",
        secret=True,
        parse=references.token,
        read=references.reference,
        help="The passphrase of an encrypted private key, or a callable that returns it. In a "
        "profile it may be a reference, as a token may.",
    )
    duration_seconds: int | None = option(
        ini="duration_seconds",
        example=3600,
        parse=types.whole,
        help="The lifetime of the session in seconds; by default that of the profile.",
    )
    role_session_name: str | None = option(
        ini="role_session_name",
        example="my-server",
        parse=types.text,
        help="The name of the role session, if the profile accepts one; by default the serial "
        "number of the certificate.",
    )

    def fetch(self) -> FrozenCredentials:
        """Call CreateSession, signed with the private key: one round trip.

        Raises:
            ConfigurationError: cryptography is not installed.
        """
        signer = self._signer()
        from ..aws.x509 import X509Error, sign_with  # noqa: PLC0415 - of the extra x509

        region = self.trust_anchor_arn.split(":")[3]
        client = self.scope.client("rolesanywhere", self.client_config, region)
        if not hasattr(client, "create_session"):
            fact = "the data loader of this session has its own rolesanywhere, without"
            remedy = "CreateSession: use botocore's loader"
            raise ConfigurationError(provider=self.METHOD, error_msg=f"{fact} {remedy}")
        work = partial(call, client, "create_session", self._parameters())
        try:
            answer = sign_with(signer, client, work)
        except X509Error as error:
            fact = str(error)
        else:
            return self._credentials(answer)
        raise self._error("private_key", fact)

    def _signer(self) -> "X509Auth":
        """Return the signer with the certificate and the private key of the files."""
        try:
            from ..aws.x509 import (  # noqa: PLC0415 - of the extra x509
                X509Auth,
                X509Error,
                read_certificates,
                read_key,
            )
        except ImportError:
            fact = "the package cryptography is not installed: run `pip install cryptography`"
            raise ConfigurationError(provider=self.METHOD, error_msg=fact) from None
        name, now = "certificate", self.scope.clock.utc
        try:
            certificates = read_certificates(self._text(name), now())
            name, key = "private_key", self.private_key
            if isinstance(key, str):
                key = read_key(
                    self._text(name),
                    self.passphrase
                    and self.read_token(self.passphrase, self._key_of("passphrase")),
                )
                if not self.passphrase and is_readable_by_all(in_home(str(self.private_key))):
                    logger.warning(
                        "Every user of this machine can read the private key %s: restrict its "
                        "permissions (chmod 600)",
                        self.private_key,
                    )
        except X509Error as error:
            fact = str(error)
        else:
            return X509Auth(certificates, key, now)
        raise self._error(name, fact)

    def _text(self, name: str) -> str:
        """Return the content of a file.

        Raises:
            FetchError: It cannot be read.
        """
        try:
            return text_of(in_home(getattr(self, name)))
        except OSError as error:
            fact = f"cannot be read ({error.strerror}): check the path and its permissions"
        except ValueError:
            fact = "cannot be read (it is not text): it must be PEM"
        raise self._error(name, fact)

    def _error(self, name: str, fact: str) -> FetchError:
        """Return the error for a file, or for the object that signs."""
        value = getattr(self, name)
        what = f"the file {value}" if isinstance(value, str) else f"the object {name}"
        return FetchError(provider=self.METHOD, error_msg=f"{self._set_in(name)}: {what} {fact}")

    def _parameters(self) -> dict[str, Any]:
        optional = {
            "durationSeconds": self.duration_seconds,
            "roleSessionName": self.role_session_name,
        }
        return {
            "profileArn": self.profile_arn,
            "roleArn": self.role_arn,
            "trustAnchorArn": self.trust_anchor_arn,
        } | {name: value for name, value in optional.items() if value is not None}

    def _credentials(self, answer: Any) -> FrozenCredentials:
        def convert(answer: Any) -> FrozenCredentials:
            entries = answer.get("credentialSet") or [{}]
            account = {"AccountId": self.role_arn.split(":")[4]}
            return FrozenCredentials.from_mapping({**member(entries[0], "credentials"), **account})

        return self._credentials_in(answer, f"the role {self.role_arn}", convert)


from_roles_anywhere = RolesAnywhereProvider
