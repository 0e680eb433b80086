"""Certificates for IAM Roles Anywhere, and what the service does with a request that one signs.

https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
"""

import base64
import hashlib
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

#: The day on which the certificates of tests are in the middle of their lives.
NOW = datetime(2027, 1, 15, 8, tzinfo=timezone.utc)


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def issue(name, key, issuer=None, issuers_key=None, *, now=NOW, days=30, **signing):
    """Issue a certificate for a key; without an issuer it signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuers_key = issuers_key or key
    signs_alone = not isinstance(issuers_key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=days))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuers_key, None if signs_alone else hashes.SHA256(), **signing)
    )


def pem(*certificates):
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def pem_of(key, passphrase=None):
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


class RefusedError(Exception):
    """Why the service refuses a request."""


def verify(request, trusted=()):
    """Derive the canonical request, and verify its signature, as the service does.

    Raises:
        RefusedError: It is not signed as the documentation says.
    """
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    algorithm, _, rest = headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    serial, date, region, service, end = parts["Credential"].split("/")
    own = x509.load_der_x509_certificate(base64.b64decode(headers["x-amz-x509"]))
    chain = [own] + [
        x509.load_der_x509_certificate(base64.b64decode(one))
        for one in headers.get("x-amz-x509-chain", "").split(",")
        if one
    ]
    signed = parts["SignedHeaders"].split(";")
    sent = {name for name in headers if name in ("content-type", "host") or "x-amz" in name}
    checks = {
        "serial": serial == str(own.serial_number),
        "scope": (service, end) == ("rolesanywhere", "aws4_request"),
        "date": headers["x-amz-date"].startswith(date),
        "headers": sent <= set(signed) and signed == sorted(signed),
    }
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    digest = hashlib.sha256(request.body).hexdigest()
    path, _, query = request.target.partition("?")
    canonical = f"POST\n{path}\n{query}\n{lines}\n{parts['SignedHeaders']}\n{digest}"
    scope = f"{date}/{region}/{service}/{end}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{algorithm}\n{headers['x-amz-date']}\n{scope}\n{hashed}".encode()
    is_rsa = isinstance(own.public_key(), rsa.RSAPublicKey)
    checks["algorithm"] = algorithm == f"AWS4-X509-{'RSA' if is_rsa else 'ECDSA'}-SHA256"
    how = (padding.PKCS1v15(), hashes.SHA256()) if is_rsa else (ec.ECDSA(hashes.SHA256()),)
    try:
        own.public_key().verify(bytes.fromhex(parts["Signature"]), text, *how)
    except InvalidSignature:
        checks["signature"] = False
    try:
        for issued, issuer in pairwise([*chain, *trusted]):
            issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):
        checks["chain"] = False
    wrong = [name for name, is_right in checks.items() if not is_right]
    if wrong:
        raise RefusedError(", ".join(wrong))
    return region
