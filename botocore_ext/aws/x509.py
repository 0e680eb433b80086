"""Signatures with the key of an X.509 certificate, for IAM Roles Anywhere (extra ``x509``).

https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import SignatureAlgorithmOID

from ..runtime.context import run_with

T = TypeVar("T")

_RSA = (PKCS1v15(), SHA256())
_ECDSA = (ec.ECDSA(SHA256()),)
_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)
_CURVES = ("secp256r1", "secp384r1")


class X509Error(ValueError):
    """A certificate or a key cannot be used; the text follows the path of its file."""


# Certificates and keys.


def read_certificates(text: str, now: datetime) -> list[x509.Certificate]:
    """Return the certificates of a PEM file: the own one, then each issuer after what it issued.

    Raises:
        X509Error: There is none, or IAM Roles Anywhere would not accept it.
    """
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise X509Error("has no certificate that can be read: it must be PEM") from None
    for number, (issued, issuer) in enumerate(pairwise(found), start=1):
        if issued.issuer != issuer.subject:
            raise X509Error(
                f"has certificates in the wrong order: number {number + 1} did not issue number "
                f"{number} (put the certificate of the key first, then its issuer, and so on)"
            )
    for one in found:
        _check_dates(one, now)
    _check_kind(found[0])
    return found


def _check_dates(one: x509.Certificate, now: datetime) -> None:
    begin, end = one.not_valid_before_utc, one.not_valid_after_utc
    if now > end:
        raise X509Error(f"has a certificate that expired on {end:%Y-%m-%d %H:%M:%S} UTC: renew it")
    if now < begin:
        raise X509Error(
            f"has a certificate that is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC: wait, or "
            "check the clock of this machine"
        )


def _check_kind(own: x509.Certificate) -> None:
    pss = SignatureAlgorithmOID.RSASSA_PSS
    if pss in (own.signature_algorithm_oid, own.public_key_algorithm_oid):
        raise X509Error(
            "has a certificate with RSASSA-PSS, which IAM Roles Anywhere does not accept: issue it "
            "with RSA PKCS #1 v1.5 or ECDSA"
        )
    key = own.public_key()
    curve = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else None
    if curve in _CURVES or isinstance(key, rsa.RSAPublicKey):
        return
    kind = curve or type(key).__name__.removesuffix("PublicKey").lstrip("_")
    raise X509Error(
        f"has a certificate for a key of the kind {kind}, which IAM Roles Anywhere does not "
        "accept: use RSA, P-256 or P-384"
    )


def read_key(text: str, passphrase: str | None) -> Any:
    """Return the private key of a PEM file.

    Raises:
        X509Error: There is none, or the passphrase is missing or wrong.
    """
    try:
        key = load_pem_private_key(text.encode(), passphrase.encode() if passphrase else None)
    except TypeError:
        fact = (
            "is not encrypted: remove the passphrase"
            if passphrase
            else "is encrypted: set its passphrase"
        )
    except (ValueError, UnsupportedAlgorithm):  # their texts are those of OpenSSL
        fact = "has no private key that can be read"
        remedy = ": check the passphrase" if passphrase else ": it must be PEM (PKCS #8)"
        fact = f"{fact}{remedy}"
    else:
        if isinstance(key, _KEYS):
            return key
        kind = type(key).__name__.removesuffix("PrivateKey")
        fact = f"has a key of the kind {kind}: use RSA, P-256 or P-384"
    raise X509Error(fact)


# Signatures.


class X509Auth(SigV4Auth):
    """Signs requests with the key of a certificate."""

    def __init__(
        self, certificates: Sequence[x509.Certificate], key: Any, now: Callable[[], datetime]
    ) -> None:
        """Take the chain, own certificate first, the key or what signs for it, and the clock."""
        no_credentials: Any = None
        super().__init__(no_credentials, "rolesanywhere", "")
        self._own, *issuers = certificates
        self._key, self._now = key, now
        self._is_rsa = isinstance(self._own.public_key(), rsa.RSAPublicKey)
        self._algorithm = f"AWS4-X509-{'RSA' if self._is_rsa else 'ECDSA'}-SHA256"
        self._headers = {"X-Amz-X509": _der(self._own)}
        if issuers:
            self._headers["X-Amz-X509-Chain"] = ",".join(map(_der, issuers))

    def sign(self, request: Any, region: str) -> None:
        """Add the certificate and a signature to a request.

        Raises:
            X509Error: The key does not belong to the certificate.
        """
        time = self._now().strftime(SIGV4_TIMESTAMP)
        for name, value in {"X-Amz-Date": time, **self._headers}.items():
            del request.headers[name]
            request.headers[name] = value
        request.context["timestamp"] = time
        names = self.signed_headers(self.headers_to_sign(request))
        digest = hashlib.sha256(self.canonical_request(request).encode()).hexdigest()
        scope = f"{time[:8]}/{region}/rolesanywhere/aws4_request"
        signature = self._signature(f"{self._algorithm}\n{time}\n{scope}\n{digest}".encode())
        credential = f"Credential={self._own.serial_number}/{scope}"
        text = f"{credential}, SignedHeaders={names}, Signature={signature.hex()}"
        request.headers["Authorization"] = f"{self._algorithm} {text}"

    def _signature(self, text: bytes) -> bytes:
        """Return the signature of a text, which the certificate verifies."""
        key: Any = self._key
        arguments: Any = ()
        if isinstance(key, _KEYS):
            arguments = _RSA if isinstance(key, rsa.RSAPrivateKey) else _ECDSA
        signature: bytes = key.sign(text, *arguments)
        public: Any = self._own.public_key()
        try:
            public.verify(signature, text, *(_RSA if self._is_rsa else _ECDSA))
        except InvalidSignature:
            raise X509Error(
                "is not the key of the certificate: check that both files belong together"
            ) from None
        return signature


def _der(one: x509.Certificate) -> str:
    return base64.b64encode(one.public_bytes(Encoding.DER)).decode()


#: Who signs the requests of the call that is being made.
_signer: ContextVar[X509Auth] = ContextVar("botocore_ext_x509")


def sign_with(signer: X509Auth, client: Any, work: Callable[[], T]) -> T:
    """Run ``work``, which calls CreateSession of ``client``, and sign each of its requests."""
    event = "request-created.rolesanywhere.CreateSession"
    client.meta.events.register(event, _sign, unique_id="botocore_ext-x509")
    return run_with(_signer, signer, work)


def _sign(request: Any, **_: object) -> None:
    _signer.get().sign(request, request.context["client_region"])
