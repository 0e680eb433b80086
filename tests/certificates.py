"""A certificate for another host, for a server on 127.0.0.1, and its authority."""

from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


def write(directory, host, name="authority"):
    """Write the authority's certificate, and the host's with its key; return both paths."""
    of_authority, of_host = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate(name, of_authority, name, of_authority, is_authority=True)
    own = _certificate(host, of_host, name, of_authority, is_authority=False)
    key = of_host.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    trusted, chain = directory / "authority.pem", directory / "host.pem"
    trusted.write_bytes(authority.public_bytes(_PEM))
    chain.write_bytes(key + own.public_bytes(_PEM))
    return trusted, chain


def _certificate(host, key, issuer, issuers_key, *, is_authority):
    now = datetime.now(timezone.utc)
    issuers_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers_key.public_key())
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"], False
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=is_authority, crl_sign=is_authority, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuers_id, critical=False)
        .sign(issuers_key, hashes.SHA256())
    )


def _name(host):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
