"""``from_roles_anywhere``: the signature, the files, and what is wrong with them."""

import os
import sys
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    explain,
    from_ini,
    from_roles_anywhere,
)
from tests import fakes, x509

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/Server"
OPTIONS = {
    "trust_anchor_arn": f"arn:aws:rolesanywhere:{REGION}:123456789012:trust-anchor/TA",
    "profile_arn": f"arn:aws:rolesanywhere:{REGION}:123456789012:profile/P",
    "role_arn": ROLE,
}
RSA, P256 = x509.rsa_key(), x509.ec_key()
ROOT_KEY = x509.ec_key()
ROOT = x509.issue("root", ROOT_KEY)


@pytest.fixture
def clock(clock, aws):
    """The service has the time at which the certificates are valid."""
    clock.time = x509.NOW.timestamp()
    aws.now = clock.now
    return clock


@pytest.fixture
def files(world, aws, clock):
    """Write a certificate and its key, or those that are passed."""
    aws.trusted = [ROOT]

    def write(key=P256, *issuers, own=None, passphrase=None, key_text=None):
        own = own or x509.issue("server", key, ROOT, ROOT_KEY)
        text = key_text or x509.pem_of(key, passphrase)
        (world / "server.pem").write_bytes(x509.pem(own, *issuers))
        (world / "server.key").write_bytes(text)
        (world / "server.key").chmod(0o600)
        return {
            "certificate": str(world / "server.pem"),
            "private_key": str(world / "server.key"),
            **({"passphrase": passphrase} if passphrase else {}),
        }

    return write


@pytest.fixture
def fetch(clock):
    """Fetch with these options."""

    def fetch(**options):
        provider = from_roles_anywhere(**{**OPTIONS, **options}).bind(Scope(clock=clock))
        return provider.load().get_frozen_credentials()

    return fetch


def reason(fetch, **options):
    with pytest.raises(FetchError) as raised:
        fetch(**options)
    return raised.value.reason


# The signature.


@pytest.mark.parametrize(
    "key", [RSA, P256, x509.ec_key(ec.SECP384R1)], ids=["RSA", "P-256", "P-384"]
)
def test_the_service_verifies_the_signature(key, files, fetch, aws):
    assert fetch(**files(key)).access_key == aws.requests[0].gave
    assert aws.operations() == ["CreateSession"]
    assert aws.requests[0].parameters == {
        "profileArn": OPTIONS["profile_arn"],
        "roleArn": ROLE,
        "trustAnchorArn": OPTIONS["trust_anchor_arn"],
    }
    assert f"/{REGION}/rolesanywhere/aws4_request" in aws.requests[0].headers["Authorization"]


def test_the_issuers_are_sent_with_the_certificate(files, fetch, aws):
    key = x509.ec_key()
    issuer = x509.issue("issuer", key, ROOT, ROOT_KEY)
    own = x509.issue("server", P256, issuer, key)
    fetch(**files(P256, issuer, own=own))
    fetch(**files(P256, issuer, ROOT, own=own))
    assert ["," in one.headers["X-Amz-X509-Chain"] for one in aws.requests] == [False, True]


def test_all_parameters_are_sent(files, fetch, aws):
    fetch(**files(), duration_seconds=900, role_session_name="me")
    assert aws.requests[0].parameters["durationSeconds"] == 900
    assert aws.requests[0].parameters["roleSessionName"] == "me"


def test_every_attempt_is_signed(files, fetch, aws):
    aws.script("CreateSession", fakes.Answer(status=503))
    assert fetch(**files()).access_key == aws.requests[1].gave
    assert len(aws.requests) == 2


def test_the_account_is_that_of_the_role(files, fetch):
    assert fetch(**files()).account_id == "123456789012"


@pytest.mark.parametrize("key", [RSA, P256], ids=["RSA", "ECDSA"])
def test_another_object_may_sign(key, files, fetch, aws):
    """A key in an HSM, or an agent."""
    how = (ec.ECDSA(hashes.SHA256()),)
    if key is RSA:
        how = (padding.PKCS1v15(), hashes.SHA256())
    signer = SimpleNamespace(sign=lambda data: key.sign(data, *how))
    options = files(key) | {"private_key": signer}
    assert fetch(**options)
    assert fetch(**(options | {"private_key": key}))
    other = SimpleNamespace(sign=lambda data: b"no signature")
    assert reason(fetch, **(options | {"private_key": other})) == (
        "private_key passed to from_roles_anywhere(): the object private_key is not the key of the "
        "certificate: check that both files belong together"
    )
    assert len(aws.requests) == 2


def test_a_refusal_of_the_service_is_unchanged(files, fetch, aws):
    aws.trusted = [x509.issue("other", ROOT_KEY)]
    with pytest.raises(ClientError) as raised:
        fetch(**files())
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    assert raised.value.response["Error"]["Message"] == "Invalid: chain"


@pytest.mark.parametrize(
    "answer", [{}, {"credentialSet": []}, {"credentialSet": [{"credentials": {}}]}]
)
def test_an_answer_without_credentials_names_the_field(answer, files, fetch, aws):
    aws.script("CreateSession", fakes._json(answer))
    assert f"the answer for the role {ROLE} has no usable credentials" in reason(fetch, **files())


@pytest.mark.parametrize("key", [RSA, P256], ids=["RSA", "ECDSA"])
def test_what_verifies_here_verifies_requests_of_aws_own_package(key, aws):
    """So that the service of these tests is not ours alone."""
    package = pytest.importorskip(
        "iam_rolesanywhere_session.iam_rolesanywhere_session",
        reason="iam-rolesanywhere-session is not installed",
    )
    own, issuer_key = x509.issue("server", key, ROOT, ROOT_KEY), x509.ec_key()
    issuer = x509.issue("issuer", issuer_key, ROOT, ROOT_KEY)
    own = x509.issue("server", key, issuer, issuer_key)
    signer = package.IAMRolesAnywhereSigner(
        x509.pem(own), x509.pem_of(key), x509.pem(issuer), region=REGION
    )
    request = AWSRequest("POST", f"{aws.url}/sessions", data=b'{"roleArn": "arn"}')
    signer.add_auth(request)
    sent = fakes.Request("", {}, dict(request.headers), "/sessions", body=request.data)
    assert x509.verify(sent, [ROOT]) == REGION
    sent.body += b" "
    with pytest.raises(x509.RefusedError, match="signature"):
        x509.verify(sent, [ROOT])


# The files.


def test_the_files_are_read_at_every_fetch(files, clock, aws):
    provider = from_roles_anywhere(**OPTIONS, **files()).bind(Scope(clock=clock))
    credentials = provider.load()
    credentials.get_frozen_credentials()
    files(RSA)
    credentials.invalidate()
    credentials.get_frozen_credentials()
    algorithms = [one.headers["Authorization"].partition(" ")[0] for one in aws.requests]
    assert algorithms == ["AWS4-X509-ECDSA-SHA256", "AWS4-X509-RSA-SHA256"]


def test_an_encrypted_key_is_read_with_its_passphrase(files, fetch):
    passphrase = fakes.secret("passphrase")
    options = files(passphrase=passphrase)
    assert fetch(**options)
    assert fetch(**(options | {"passphrase": lambda: passphrase}))
    wrong = reason(fetch, **(options | {"passphrase": fakes.secret("wrong")}))
    assert wrong.endswith("server.key has no private key that can be read: check the passphrase")
    del options["passphrase"]
    assert reason(fetch, **options).endswith("server.key is encrypted: set its passphrase")
    plain = files() | {"passphrase": passphrase}
    assert reason(fetch, **plain).endswith("server.key is not encrypted: remove the passphrase")


@pytest.mark.parametrize(
    ("shift", "fact"),
    [
        (-31, "expired on 2027-01-14 08:00:00 UTC: renew it"),
        (31, "is not valid before 2027-01-16 08:00:00 UTC: wait, or check the clock"),
    ],
)
def test_a_certificate_out_of_time_names_the_date(shift, fact, files, fetch, aws):
    now = x509.NOW + timedelta(days=shift)
    own = x509.issue("server", P256, ROOT, ROOT_KEY, now=now)
    assert f"server.pem has a certificate that {fact}" in reason(fetch, **files(own=own))
    assert aws.requests == []


def test_an_expired_issuer_is_found_too(files, fetch):
    old = x509.issue("root", ROOT_KEY, now=x509.NOW - timedelta(days=31))
    assert "expired on 2027-01-14" in reason(fetch, **files(P256, old))


def test_a_key_of_another_certificate_is_found(files, fetch, aws):
    for other in (RSA, x509.ec_key()):
        found = reason(fetch, **files(key_text=x509.pem_of(other)))
        assert "server.key is not the key of the certificate" in found
    assert aws.requests == []


def test_a_wrong_order_of_certificates_is_found(files, fetch):
    own = x509.issue("server", P256, ROOT, ROOT_KEY)
    assert "server.pem has certificates in the wrong order: number 2 did not issue number 1" in (
        reason(fetch, **files(P256, own, own=ROOT))
    )


def test_kinds_of_keys_that_the_service_refuses_are_found(files, fetch):
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    for key, fact in {
        RSA: "has a certificate with RSASSA-PSS, which IAM Roles Anywhere does not accept",
        ed25519.Ed25519PrivateKey.generate(): "a certificate for a key of the kind Ed25519, which",
        x509.ec_key(ec.SECP521R1): "a certificate for a key of the kind secp521r1, which",
    }.items():
        more = {"rsa_padding": pss} if key is RSA else {}
        own = x509.issue("server", key, **more)
        assert fact in reason(fetch, **files(key, own=own))
    key = dsa.generate_private_key(1024)
    found = reason(fetch, **files(key_text=x509.pem_of(key)))
    assert found.endswith("server.key has a key of the kind DSA: use RSA, P-256 or P-384")


def test_a_file_that_cannot_be_read_is_named(files, fetch, world):
    options = files()
    (world / "server.pem").write_bytes(b"\xff")
    assert reason(fetch, **options).endswith("cannot be read (it is not text): it must be PEM")
    (world / "server.pem").write_bytes(b"no certificate")
    assert "has no certificate that can be read: it must be PEM" in reason(fetch, **options)
    files(key_text=b"no key")
    assert "has no private key that can be read: it must be PEM" in reason(fetch, **options)
    (world / "server.key").unlink()
    assert reason(fetch, **options) == (
        f"private_key passed to from_roles_anywhere(): the file {world}/server.key cannot be read "
        "(No such file or directory): check the path and its permissions"
    )


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such permissions")
def test_a_key_that_every_user_can_read_is_a_warning(files, fetch, world, caplog):
    """Not an error: secrets that Kubernetes mounts have these permissions by default."""
    options = files()
    (world / "server.key").chmod(0o644)
    fetch(**options)
    assert f"Every user of this machine can read the private key {world}/server.key" in caplog.text
    caplog.clear()
    encrypted = files(passphrase=fakes.secret("passphrase"))
    (world / "server.key").chmod(0o644)
    fetch(**encrypted)
    assert "Every user" not in caplog.text


# Profiles.


@pytest.fixture
def profile(files, config, aws):
    """Write a profile for a certificate that is valid now, and more text after it."""
    now = datetime.now(timezone.utc)
    root = x509.issue("root", ROOT_KEY, now=now)
    aws.trusted, aws.now = [root], now.timestamp

    def write(*more, **changed):
        own = x509.issue("server", P256, root, ROOT_KEY, now=now)
        options = {**OPTIONS, **files(own=own, **changed)}
        keys = {one.name: one.ini for one in from_roles_anywhere.options()}
        lines = [f"{keys[one]} = {value}\n" for one, value in options.items()]
        config(f"[default]\n{''.join(lines)}" + "\n".join(more))

    return write


def test_a_profile_selects_it(profile, aws, monkeypatch):
    passphrase = fakes.secret("passphrase")
    monkeypatch.setenv("PASSPHRASE", passphrase)
    encrypted = x509.pem_of(P256, passphrase)
    profile("roles_anywhere_passphrase = env://PASSPHRASE", key_text=encrypted)
    botocore_ext.install()
    credentials = boto3.Session().get_credentials()
    assert credentials.method == "custom-roles-anywhere"
    assert credentials.access_key == aws.requests[0].gave
    assert from_ini().load().access_key == aws.requests[1].gave
    assert create_credential_chain("profile default").load().access_key


@pytest.mark.caller_signs
def test_it_is_a_source_profile(profile, aws):
    profile(f"[profile top]\nrole_arn = {ROLE}\nsource_profile = default\nregion = eu-west-1\n")
    botocore_ext.install()
    assert boto3.Session(profile_name="top").get_credentials().get_frozen_credentials()
    assert aws.operations() == ["CreateSession", "AssumeRole"]


def test_a_source_of_its_own_role_is_refused(profile):
    """Both need a role_arn."""
    profile("credential_source = CustomRolesAnywhere\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="which both need a role_arn of their own"):
        boto3.Session().get_credentials()


def test_explain_names_settings_and_call(profile):
    profile()
    botocore_ext.install()
    text = str(explain(boto3.Session()))
    assert f"roles_anywhere_trust_anchor_arn = {OPTIONS['trust_anchor_arn']}  (" in text
    assert f"rolesanywhere.CreateSession in {REGION} at 127.0.0.1:" in text
    assert "Found by custom-roles-anywhere" in text


# What is missing.


def test_the_extra_is_named(fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.delitem(sys.modules, "botocore_ext.aws.x509", raising=False)
    with pytest.raises(ConfigurationError, match="`pip install cryptography`"):
        fetch(certificate="/x", private_key="/x")


def test_a_loader_without_the_operation_is_named(files, clock):
    class OtherLoader(Loader):
        pass

    session = botocore.session.Session()
    session.register_component("data_loader", OtherLoader())
    provider = from_roles_anywhere(**OPTIONS, **files()).bind(Scope(session, clock=clock))
    with pytest.raises(ConfigurationError, match="has its own rolesanywhere, without CreateSess"):
        provider.load().get_frozen_credentials()


def test_a_key_is_a_path_or_signs():
    with pytest.raises(
        ConfigurationError, match="private_key passed to from_roles_anywhere.. must"
    ):
        from_roles_anywhere(**OPTIONS, certificate="/x", private_key=5)


@pytest.mark.parametrize("lines", ["\n", ""])
def test_a_key_in_the_place_of_its_path_is_not_shown(lines):
    key = x509.pem_of(P256, None).decode().replace("\n", lines)
    with pytest.raises(ConfigurationError, match="must be the path of a file, not its") as raised:
        from_roles_anywhere(**OPTIONS, certificate="/x", private_key=key)
    assert key not in str(raised.value)
