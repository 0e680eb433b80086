"""``from_login_credentials``; what may go wrong is in ``tests/cases/native.toml``."""

import base64
import hashlib
import json
import logging
import stat

import botocore.credentials
import botocore.session
import pytest
from awscrt.crypto import EC, ECRawSignature
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_login_credentials,
)
from tests import fakes

USER = "arn:aws:iam::123456789012:user/me"
#: Seconds before their expiry at which the credentials in the file are renewed.
RENEWED_BEFORE = 300


@pytest.fixture
def scope(aws, clock):
    """A clock that does not move, for the fake, too."""
    aws.now = clock.now
    return Scope(clock=clock)


@pytest.fixture
def log_in(world, clock):
    """Log in: with the seconds that the credentials have to live."""
    directory = world / ".aws" / "login" / "cache"
    return lambda left=900, directory=directory, **changed: fakes.login_token(
        directory, USER, clock.time + left, **changed
    )


def token_in(path):
    return json.loads(path.read_text(encoding="utf-8"))


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def check_signature(dpop, url):
    """Verify the proof of possession as the service does."""
    head, payload, signature = dpop.split(".")
    header, claims = json.loads(decoded(head)), json.loads(decoded(payload))
    assert (header["typ"], header["alg"]) == ("dpop+jwt", "ES256")
    assert (claims["htm"], claims["htu"]) == ("POST", url)
    assert claims["jti"]
    x, y = (decoded(header["jwk"][name]) for name in "xy")
    # The frame of a public key on P-256 in DER, which is the same for all.
    frame = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    key = EC.new_key_from_der_data(frame + b"\x04" + x + y)
    raw = decoded(signature)
    signed = EC.encode_raw_signature(ECRawSignature(r=raw[:32], s=raw[32:]))
    assert key.verify(hashlib.sha256(f"{head}.{payload}".encode()).digest(), signed)


def test_cached_credentials_need_no_request(aws, scope, clock, log_in):
    token = token_in(log_in(RENEWED_BEFORE + 1))
    keys = from_login_credentials(login_session=USER).bind(scope)._guarded_fetch()
    assert keys.access_key == token["accessToken"]["accessKeyId"]
    assert (keys.account_id, keys.expiration) == ("123456789012", clock.at(301))
    assert keys.features == ("CREDENTIALS_PROFILE_LOGIN", "CREDENTIALS_LOGIN")
    assert not aws.requests


def test_a_login_that_code_names_is_not_that_of_a_profile(scope):
    with pytest.raises(FetchError, match="log in again with `aws login`$"):
        from_login_credentials(login_session=USER).bind(scope).fetch()


@pytest.mark.parametrize("left", [RENEWED_BEFORE, 0, -3600])
def test_credentials_that_expire_soon_are_refreshed(aws, scope, clock, log_in, left):
    path = log_in(left)
    before = token_in(path)
    keys = from_login_credentials(login_session=USER).bind(scope).fetch()
    (request,) = aws.requests
    assert request.operation == "CreateOAuth2Token"
    assert request.parameters == {
        "clientId": before["clientId"],
        "grantType": "refresh_token",
        "refreshToken": before["refreshToken"],
    }
    assert "Authorization" not in request.headers
    check_signature(request.headers["DPoP"], f"{aws.url}/v1/token")
    after = token_in(path)
    assert (keys.access_key, keys.account_id) == (request.gave, "123456789012")
    assert keys.expiration == clock.at(900)
    assert after["accessToken"]["accessKeyId"] == request.gave
    assert after["accessToken"]["expiresAt"] == fakes.at(clock.time + 900)
    assert after["refreshToken"] != before["refreshToken"]
    for unchanged in ("clientId", "dpopKey", "idToken", "tokenType"):
        assert after[unchanged] == before[unchanged]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_renewal_is_signed_once(aws, scope, clock, log_in, mocker):
    """Botocore adds a handler that signs to the client that it is given, at every renewal."""
    signed = mocker.spy(botocore.credentials, "_build_dpop_header")
    log_in(0)
    provider = from_login_credentials(login_session=USER).bind(scope)
    for _ in range(2):
        provider.fetch()
        clock.advance(900)
    for request in aws.requests:
        check_signature(request.headers["DPoP"], f"{aws.url}/v1/token")
    assert len(aws.requests) == signed.call_count == 2


def test_the_directory_of_the_environment(aws, scope, world, log_in, monkeypatch):
    path = log_in(0, directory=world / "elsewhere")
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(path.parent))
    keys = from_login_credentials(login_session=USER).bind(scope).fetch()
    assert token_in(path)["accessToken"]["accessKeyId"] == keys.access_key


@pytest.mark.parametrize("option", ["profile", "filepath", "config_filepath"])
def test_another_profile_and_other_files_can_be_named(scope, world, log_in, option):
    log_in()
    name = {"profile": "config", "filepath": "own", "config_filepath": "own"}[option]
    section = "dev" if option == "filepath" else "profile dev"
    (world / name).write_text(f"[{section}]\nlogin_session = {USER}\n")
    given = {} if option == "profile" else {option: str(world / "own")}
    provider = from_login_credentials(profile="dev", **given).bind(scope)
    assert provider.fetch().account_id == "123456789012"


REFUSED = fakes.error("AccessDeniedException", error="TOKEN_EXPIRED")
RECOVERABLE = [
    REFUSED,
    fakes.error("AccessDeniedException", error="INSUFFICIENT_PERMISSIONS"),
    fakes.error("InternalServerException", status=500),
    fakes.Answer(b"<html>"),
    fakes.Answer(silence=30),
]


@pytest.mark.parametrize("answer", RECOVERABLE, ids=["expired", "denied", "500", "HTML", "silent"])
def test_valid_credentials_outlive_a_failed_refresh(
    aws, scope, log_in, monkeypatch, caplog, answer
):
    caplog.set_level(logging.WARNING)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    path = log_in(60)
    aws.always("CreateOAuth2Token", answer)
    config = Config(read_timeout=0.1)
    provider = from_login_credentials(login_session=USER, client_config={"config": config})
    keys = provider.bind(scope).fetch()
    assert keys.access_key == token_in(path)["accessToken"]["accessKeyId"]
    assert f"The credentials in the token file {path} could not be refreshed (" in caplog.text
    assert "they are valid for 60 seconds" in caplog.text


@pytest.mark.parametrize("renewed", [True, False])
def test_login_during_a_refresh_is_used_and_stays(aws, scope, log_in, renewed):
    """The tokens of two people never meet in one file."""
    path = log_in(60)
    newer = {}

    def another_login(request):
        newer.update(token_in(log_in()))
        return aws.signin(request) if renewed else REFUSED(request)

    aws.script("CreateOAuth2Token", another_login)
    keys = from_login_credentials(login_session=USER).bind(scope).fetch()
    assert keys.access_key == newer["accessToken"]["accessKeyId"]
    assert token_in(path) == newer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (REFUSED, FetchError),
        (fakes.error("InternalServerException", status=500), ClientError),
        (fakes.Answer(b"<html>"), FetchError),
        (fakes.Answer(b'{"accessToken": {"accessKeyId": ["x"]}, "expiresIn": 1}'), FetchError),
        (fakes.Answer(silence=30), ReadTimeoutError),
    ],
    ids=["expired", "500", "HTML", "no keys", "silent"],
)
def test_expired_credentials_are_not_served(aws, scope, log_in, monkeypatch, answer, error):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    log_in(0)
    aws.always("CreateOAuth2Token", answer)
    config = Config(read_timeout=0.1 if error is ReadTimeoutError else 30)
    provider = from_login_credentials(login_session=USER, client_config={"config": config})
    with pytest.raises(error):
        provider.bind(scope).fetch()


def test_refresh_ends_if_the_service_does_not_answer(scope, log_in, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    log_in(0)
    with pytest.raises(EndpointConnectionError):
        from_login_credentials(login_session=USER).bind(scope).fetch()


@pytest.mark.parametrize("left", [60, 0])
def test_without_the_crt_the_error_names_the_extra(scope, log_in, monkeypatch, left):
    """Kept credentials need none of it until they are to be renewed."""
    monkeypatch.setattr("botocore.compat.EC", None)
    provider = from_login_credentials(login_session=USER).bind(scope)
    log_in(left)
    with pytest.raises(ConfigurationError) as raised:
        provider.fetch()
    assert raised.value.reason == (
        "refreshing the credentials of `aws login` needs the AWS Common Runtime (CRT): "
        "run `pip install 'botocore[crt]'`"
    )
    log_in(900)
    assert provider.fetch().access_key


@pytest.mark.parametrize(
    ("sign_in", "client_config", "region"),
    [
        (None, None, "eu-west-1"),
        ("sa-east-1", None, "sa-east-1"),
        ("sa-east-1", {"region_name": "eu-north-1"}, "eu-north-1"),
    ],
)
def test_the_region_is_that_of_the_login_but_for_client_config(
    log_in, clock, monkeypatch, sign_in, client_config, region, aws
):
    """The fake is not asked: the address says enough."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    log_in(0, signInRegion=sign_in)
    asked = []

    def refuse(request, **_):
        asked.append(request.url)
        raise ReadTimeoutError(endpoint_url="it")

    session = botocore.session.Session()
    session.register("before-send", refuse)
    provider = from_login_credentials(login_session=USER, client_config=client_config)
    with pytest.raises(ReadTimeoutError):
        provider.bind(Scope(session, clock=clock)).fetch()
    assert asked[0] == f"https://{region}.signin.aws.amazon.com/v1/token"


def test_malformed_region_is_reported(scope, log_in, monkeypatch):
    """And not that one must log in again."""
    monkeypatch.setenv("AWS_REGION", "us east")
    log_in(0)
    with pytest.raises(ValueError, match="'us east' doesn't match a supported format"):
        from_login_credentials(login_session=USER).bind(scope).fetch()


def test_client_config_reaches_the_inner_client(aws, scope, log_in):
    log_in(0)
    client_config = {"config": Config(user_agent_extra="mine")}
    provider = from_login_credentials(login_session=USER, client_config=client_config)
    provider.bind(scope).fetch()
    assert "mine" in aws.requests[0].headers["User-Agent"]


def test_a_chain_steps_over_a_profile_without_a_login(config):
    config("[profile dev]\nregion = eu-west-1\n")
    chain = create_credential_chain(
        from_login_credentials(profile="dev"), lambda: {"AccessKeyId": "A", "SecretKey": "s"}
    )
    assert chain.fetch().access_key == "A"


def test_a_login_that_is_over_stops_a_chain(aws, scope, log_in):
    log_in(0)
    aws.always("CreateOAuth2Token", REFUSED)
    provider = from_login_credentials(login_session=USER)
    with pytest.raises(FetchError, match="a login that has expired or whose password has changed"):
        create_credential_chain(provider, provider).bind(scope).fetch()


@pytest.mark.parametrize(
    "changed",
    [
        {"accessToken": None},
        {"accessToken": "<secret>"},
        {"accessToken": {"accessKeyId": "<secret>"}},
        {"accessToken": ["<secret>"]},
        {"refreshToken": ["<secret>"]},
        {"clientId": {"it": "<secret>"}},
        {"dpopKey": None},
        {"dpopKey": "<secret>"},
        {"dpopKey": ["<secret>"]},
    ],
    ids=str,
)
def test_nothing_of_a_malformed_token_file_is_shown(aws, scope, log_in, changed, caplog):
    secret = fakes.secret("malformed")
    changed = json.loads(json.dumps(changed).replace("<secret>", secret))
    path = log_in(0, **changed)
    with pytest.raises(FetchError) as raised:
        from_login_credentials(login_session=USER).bind(scope).fetch()
    assert str(path) in raised.value.reason
    assert "log in again with `aws login`" in raised.value.reason
    shown = f"{raised.value} {raised.value!r} {caplog.text}"
    assert not [one for one in fakes.SECRETS if one in shown]
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize("expires", ["<secret>", None, 1, "2030-01-01T00:00:00"])
def test_an_expiry_that_is_none(aws, scope, log_in, expires):
    """Without one the credentials are refreshed; without a time zone it is in UTC."""
    path = log_in(0)
    token = token_in(path)
    secret = fakes.secret("malformed")
    token["accessToken"]["expiresAt"] = secret if expires == "<secret>" else expires
    path.write_text(json.dumps(token))
    provider = from_login_credentials(login_session=USER).bind(scope)
    if expires == "2030-01-01T00:00:00":
        assert provider.fetch().expiration.year == 2030
        return
    with pytest.raises(FetchError) as raised:
        provider.fetch()
    assert str(path) in raised.value.reason
    assert secret not in raised.value.reason
