"""Tokens of an authorization server, from an imitation of one.

A real one is in ``test_oidc_provider.py``, and what a section says in ``tests/cases/oauth.toml``.
"""

import json
import os
import pickle
import sys
import threading
from base64 import b64decode
from contextlib import contextmanager, redirect_stderr
from urllib.parse import unquote_plus

import boto3
import pytest

import botocore_ext
from botocore_ext import ConfigurationError, FetchError, Scope, explain, from_web_token
from botocore_ext.runtime.files import lock_file
from botocore_ext.tokens import OAuthToken, TokenFile
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"
SECTION = """
[oauth corp]
issuer = {url}
client_id = app
client_secret = env://CLIENT_SECRET
"""


@pytest.fixture
def source(aws, clock):
    """Return a source for the server of the test; its secrets are made up."""

    def create(**arguments):
        given = {"client_secret": fakes.secret("client-secret")} | arguments
        return OAuthToken(issuer=aws.url, client_id="app", bound_to=Scope(clock=clock), **given)

    return create


@pytest.fixture
def stored(world):
    """A refresh token in a file."""
    path = world / "refresh"
    path.write_text(fakes.secret("refresh-token"))
    return path


@contextmanager
def terminal():
    """Simulate a terminal, and return a function that returns what it shows."""
    reading, writing = os.openpty()
    with os.fdopen(writing, "w") as stream, redirect_stderr(stream):
        yield lambda: os.read(reading, 4096).decode()
    os.close(reading)


def refusal(code, status=400):
    """Refuse, with a text that may not be shown."""
    answer = {"error": code, "error_description": fakes.secret("description")}
    return fakes.Answer(json.dumps(answer).encode(), status)


def asked(aws, operation="GetToken"):
    return [one for one in aws.requests if one.operation == operation]


# In a profile.


def test_every_fetch_gets_another_token(aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", secret := fakes.secret("client-secret"))
    profile = f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token = oauth://corp\n"
    config(profile + SECTION.format(url=aws.url))
    botocore_ext.install()
    credentials = boto3.Session(profile_name="web").get_credentials()
    assert aws.requests == []
    for _ in range(2):
        credentials.refresh()
    sent = [one.parameters["WebIdentityToken"] for one in asked(aws, "AssumeRoleWithWebIdentity")]
    assert sent == [one.gave for one in asked(aws)]
    assert len({*sent}) == 2
    basic = b64decode(asked(aws)[0].headers["Authorization"].removeprefix("Basic ")).decode()
    assert basic == f"app:{secret}"
    assert len(asked(aws, "Discover")) == 1


@pytest.mark.caller_signs
@pytest.mark.parametrize("how", ["source_profile = web", "credential_chain = env, profile web"])
def test_a_role_and_a_chain_use_it(how, aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", fakes.secret("client-secret"))
    profile = f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token = oauth://corp\n"
    role = f"role_arn = {ROLE}2\n" if "source_profile" in how else ""
    config(f"{profile}{SECTION.format(url=aws.url)}\n[profile app]\n{role}{how}\n")
    botocore_ext.install()
    boto3.Session(profile_name="app").client("sts", region_name="eu-west-1").get_caller_identity()
    expected = ["Discover", "GetToken", "AssumeRoleWithWebIdentity"]
    expected += ["AssumeRole"] if role else []
    assert aws.operations() == [*expected, "GetCallerIdentity"]


def test_a_login_of_cognito_may_be_one(aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", fakes.secret("client-secret"))
    pool = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
    profile = f"[profile mobile]\ncognito_identity_pool_id = {pool}\n"
    logins = "cognito_logins =\n    login.example.com = oauth://corp\n"
    config(profile + logins + SECTION.format(url=aws.url))
    botocore_ext.install()
    boto3.Session(profile_name="mobile").get_credentials().get_frozen_credentials()
    logins = asked(aws, "GetCredentialsForIdentity")[0].parameters["Logins"]
    assert logins == {"login.example.com": asked(aws)[-1].gave}


def test_explain_shows_the_reference_and_sends_nothing(aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", fakes.secret("client-secret"))
    profile = f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token = oauth://corp\n"
    config(profile + SECTION.format(url=aws.url))
    botocore_ext.install()
    report = explain(boto3.Session(profile_name="web"), offline=True)
    assert "web_identity_token = oauth://corp" in report.text()
    assert aws.requests == []


def test_code_may_use_a_section(aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", fakes.secret("client-secret"))
    config(SECTION.format(url=aws.url))
    assert OAuthToken.from_section("corp")() == asked(aws)[0].gave


# In code.


def test_it_completes_a_provider_in_code(aws, source):
    provider = from_web_token(role_arn=ROLE, web_identity_token=source(audience="sts"))
    provider.load().get_frozen_credentials()
    assert asked(aws)[0].parameters["audience"] == "sts"


def test_what_the_constructor_refuses(aws):
    for arguments, fact in [
        ({"issuer": "login.example.com"}, "issuer is not a URL that begins with https://"),
        ({"issuer": aws.url, "grant": "password"}, "grant is not one of client_credentials, "),
        ({"issuer": aws.url}, "grant is client_credentials, and client_secret is not set"),
    ]:
        with pytest.raises(ConfigurationError, match=fact):
            OAuthToken(client_id="app", **arguments)


def test_it_travels_and_shows_no_secret(source):
    one = source(scope="read", refresh_token=fakes.secret("refresh-token"))
    assert pickle.loads(pickle.dumps(one)) == one
    assert "secret=" not in repr(one)
    assert "refresh_token=" not in repr(one)


def test_without_authlib_the_error_names_the_extra(source, monkeypatch):
    monkeypatch.setitem(sys.modules, "authlib.oauth2.client", None)
    with pytest.raises(ConfigurationError, match="`pip install authlib`"):
        source()()


@pytest.mark.parametrize("secret", ["a+b %:c", "ü"])
def test_a_secret_is_encoded_for_its_header(secret, aws, source):
    """RFC 6749 encodes both as in a form, before a colon joins them."""
    source(client_secret=lambda: secret)()
    basic = b64decode(asked(aws)[0].headers["Authorization"].removeprefix("Basic ")).decode()
    assert unquote_plus(basic.partition(":")[2]) == secret


def test_the_secret_is_in_no_default_of_authlib(source):
    """Authlib passes its own headers to what adds the secret of the client to them."""
    from authlib.oauth2.client import DEFAULT_HEADERS  # noqa: PLC0415 - of an extra

    source()()
    assert "Authorization" not in DEFAULT_HEADERS


@pytest.mark.parametrize(
    ("methods", "is_in_form"),
    [
        (["client_secret_post"], True),
        (["client_secret_post", "client_secret_basic"], False),
        (["private_key_jwt"], False),
        (5, False),
    ],
)
def test_the_secret_is_sent_as_the_server_accepts_it(methods, is_in_form, aws, source):
    document = json.loads(aws.discovery(None).body)
    document["token_endpoint_auth_methods_supported"] = methods
    aws.script("Discover", fakes.Answer(json.dumps(document).encode()))
    source()()
    assert ("client_secret" in asked(aws)[0].parameters) is is_in_form
    assert ("Authorization" in asked(aws)[0].headers) is not is_in_form


def test_a_discovery_document_is_used_for_an_hour(aws, source, clock):
    one = source()
    for seconds, discoveries in ((0, 1), (3599, 1), (1, 2)):
        clock.advance(seconds)
        one()
        assert len(asked(aws, "Discover")) == discoveries


@pytest.mark.parametrize("more", [{}, {"audience": "sts"}, {"resource": "urn:sts"}])
def test_an_audience_takes_the_access_token(more, aws, source):
    """The ID token is for the client itself."""
    access, identity = fakes.jwt("sts"), fakes.jwt("app")
    answer = {"access_token": access, "id_token": identity}
    aws.script("GetToken", fakes.Answer(json.dumps(answer).encode()))
    assert source(**more)() == (access if more else identity)


# Faults.


def test_a_temporary_failure_is_retried(aws, source):
    for answer in (
        fakes.Answer(status=500),
        fakes.Answer(status=429),
        fakes.Answer(reset=True),
        fakes.Answer(b"{" * 99, cut=5),
    ):
        for operation in ("Discover", "GetToken"):
            aws.requests.clear()
            aws.script(operation, answer)
            source()()
            assert len(asked(aws, operation)) == 2, answer


def test_silence_is_retried(aws, source):
    aws.script("GetToken", fakes.Answer(silence=30))
    source(timeout=0.5)()
    assert len(asked(aws)) == 2


def test_attempts_end_with_the_fetch(aws, source, clock):
    """The 25 seconds are for the discovery, the token and AWS together."""
    slow = [lambda _: clock.advance(9) or fakes.Answer(status=503)] * 3
    aws.script("Discover", slow[0])
    aws.script("GetToken", *slow)
    web = from_web_token(role_arn=ROLE, web_identity_token=source()).bind(Scope(clock=clock))
    with pytest.raises(FetchError, match="answered with status 503: check its log"):
        web.load().get_frozen_credentials()
    assert len(asked(aws)) == 1


@pytest.mark.parametrize("operation", ["Discover", "GetToken"])
def test_a_redirect_is_not_followed(operation, aws, source):
    elsewhere = {"Location": f"{aws.url}/elsewhere"}
    aws.script(operation, fakes.Answer(status=307, headers=elsewhere))
    with pytest.raises(FetchError, match="status 307"):
        source()()
    assert [one for one in aws.requests if one.target == "/elsewhere"] == []


@pytest.mark.parametrize("status", [201, 307, 400])
def test_a_token_comes_with_status_200_only(status, aws, source):
    """The library takes it from any answer."""
    body = json.dumps({"access_token": fakes.jwt("sts")}).encode()
    aws.script("GetToken", fakes.Answer(body, status))
    with pytest.raises(FetchError, match=f"answered with status {status} and no token response"):
        source()()


def test_no_proxy_is_used_for_this_machine(aws, source, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert source()() == asked(aws)[0].gave


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"\xff",
        b"[" * 99999,
        b'{"access_token": 1, "expires_in": {}}',
        b'{"access_token": "", "expires_in": NaN}',
        b'{"error": ["invalid_client"]}',
    ],
)
def test_any_answer_is_an_error_of_this_package(body, aws, source):
    aws.script("GetToken", fakes.Answer(body))
    with pytest.raises(FetchError):
        source()()


@pytest.mark.parametrize("lifetime", ["1e999", "NaN", "-1", f"1{'0' * 400}"])
def test_a_lifetime_may_be_any_number(lifetime, aws, source):
    token = fakes.jwt("sts")
    answer = f'{{"access_token": "{token}", "expires_in": {lifetime}}}'
    aws.script("GetToken", fakes.Answer(answer.encode()))
    assert source()() == token


# Refresh tokens.


def test_a_rotating_refresh_token_is_written_back(aws, source, stored):
    one = source(grant="refresh_token", refresh_token=TokenFile(str(stored)))
    stored.chmod(0o644)
    for _ in range(3):
        old = stored.read_text()
        assert one() == asked(aws)[-1].gave
        assert asked(aws)[-1].parameters["refresh_token"] == old
        assert stored.read_text() != old
    assert stored.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in stored.parent.glob("refresh*")) == [
        "refresh",
        "refresh.lock",
    ]
    assert not list(stored.parent.glob("*.tmp"))


def test_a_link_to_the_file_stays_a_link(source, stored):
    link = stored.parent / "link"
    link.symlink_to(stored)
    old = stored.read_text()
    source(grant="refresh_token", refresh_token=TokenFile(str(link)))()
    assert link.is_symlink()
    assert stored.read_text() != old


def test_a_refresh_token_that_stays_is_not_written(aws, source, stored):
    before = stored.stat()
    aws.script("GetToken", fakes.Answer(json.dumps({"id_token": fakes.jwt("app")}).encode()))
    source(grant="refresh_token", refresh_token=TokenFile(str(stored)))()
    assert stored.stat().st_ino == before.st_ino


def test_two_that_refresh_take_turns(aws, source, stored):
    """Each uses the token that the other one got: one used twice is taken for stolen."""
    valid, used = [stored.read_text()], []

    def rotate(request):
        used.append(request.parameters["refresh_token"])
        assert used[-1] == valid[-1], "used twice"
        valid.append(fakes.secret("refresh-token"))
        answer = {"id_token": fakes.jwt("app"), "refresh_token": valid[-1]}
        return fakes.Answer(json.dumps(answer).encode())

    aws.always("GetToken", rotate)
    threads = [
        threading.Thread(target=source(grant="refresh_token", refresh_token=TokenFile(str(stored))))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(used) == 4
    assert stored.read_text() == valid[-1]


def test_the_file_is_not_waited_for_without_end(source, stored, mocker):
    mocker.patch("botocore_ext.runtime.deadline.FETCH_BUDGET", 0.2)
    one = source(grant="refresh_token", refresh_token=TokenFile(str(stored)))
    with (
        lock_file(f"{stored}.lock", 1),
        pytest.raises(FetchError, match="is in use by another process, perhaps for a sign-in"),
    ):
        one()


def test_a_file_that_cannot_be_replaced_costs_one_warning(aws, source, world, caplog):
    """The token is good; the old refresh token is used up, and that can be said only."""
    folder = world / "folder"
    folder.mkdir()
    (folder / "refresh").write_text(fakes.secret("refresh-token"))

    def remove(request):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        return aws.oauth_token(request)

    aws.script("GetToken", remove)
    one = source(grant="refresh_token", refresh_token=TokenFile(str(folder / "refresh")))
    assert one() == asked(aws)[0].gave
    assert "The new refresh token could not be written to" in caplog.text


def test_a_token_that_is_replaced_and_not_stored_is_said(aws, source, caplog):
    token = fakes.secret("refresh-token")
    one = source(grant="refresh_token", refresh_token=lambda: token)
    one()
    assert "has replaced the refresh token, and only refresh_token = file://PATH" in caplog.text
    caplog.clear()
    answer = {"id_token": fakes.jwt("app"), "refresh_token": token}
    aws.script("GetToken", fakes.Answer(json.dumps(answer).encode()))
    one()
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


# Sign-in at a terminal.


def test_a_sign_in_is_waited_for_and_stored(aws, source, stored, clock):
    stored.unlink()
    pending = [refusal("authorization_pending"), refusal("slow_down"), fakes.Answer(status=503)]
    aws.script("GetToken", *pending, *[fakes.Answer(status=503)] * 2)
    began = clock.monotonic()
    one = source(
        client_secret=None,
        grant="device_code",
        scope="openid offline_access",
        refresh_token=TokenFile(str(stored)),
    )
    with terminal() as shown:
        assert one() == asked(aws)[-1].gave
        page = f"{aws.url}/device"
        text = f"To sign in, open {page} in a browser and enter the code WDJB-MJHT\r\n"
        assert shown() == text
    assert asked(aws, "StartSignIn")[0].parameters == {
        "client_id": "app",
        "scope": "openid offline_access",
    }
    assert 5 + 5 + 10 + 10 <= clock.monotonic() - began < 5 + 5 + 10 + 10 + 2
    one()  # no second sign-in
    assert len(asked(aws, "StartSignIn")) == 1
    assert stored.stat().st_mode & 0o777 == 0o600


def test_a_sign_in_begins_again_after_a_refusal(aws, source, stored):
    aws.script("GetToken", refusal("invalid_grant"))
    old = stored.read_text()
    one = source(grant="device_code", refresh_token=TokenFile(str(stored)))
    with terminal():
        assert one() == asked(aws)[-1].gave
    assert len(asked(aws, "StartSignIn")) == 1
    assert stored.read_text() != old


def test_other_refusals_start_no_sign_in(aws, source, stored):
    aws.script("GetToken", refusal("invalid_client", 401))
    one = source(grant="device_code", refresh_token=TokenFile(str(stored)))
    with pytest.raises(ConfigurationError, match="does not accept the client"):
        one()
    assert asked(aws, "StartSignIn") == []


@pytest.mark.parametrize("code", ["access_denied", "expired_token"])
def test_a_sign_in_that_fails_ends(code, aws, source):
    aws.script("GetToken", refusal(code))
    text = "denied the request|waited too long for the sign-in"
    with terminal(), pytest.raises(FetchError, match=text):
        source(grant="device_code")()
    assert len(asked(aws)) == 1


def test_a_sign_in_ends_with_its_code(aws, source, clock):
    """The time of a person is not that of the fetch, and it ends all the same."""
    aws.always("GetToken", refusal("authorization_pending"))
    began = clock.monotonic()
    with terminal(), pytest.raises(FetchError, match="waited too long for the sign-in: try again"):
        source(grant="device_code")()
    assert 600 <= clock.monotonic() - began < 610


@pytest.mark.parametrize(("interval", "pause"), [(1e-9, 1), (0, 5), (-1, 5), ("1", 5), (7, 7)])
def test_pauses_of_a_sign_in_have_a_bound(interval, pause, aws, source, clock):
    """An odd interval must not mean requests without a pause."""
    answer = json.loads(aws.sign_in(None).body) | {"interval": interval}
    aws.script("StartSignIn", fakes.Answer(json.dumps(answer).encode()))
    began = clock.monotonic()
    with terminal():
        source(grant="device_code")()
    assert pause <= clock.monotonic() - began < pause + 0.5


def test_a_person_is_not_a_slow_server(aws, source, clock):
    aws.script("GetToken", *[refusal("authorization_pending")] * 20)
    aws.now = clock.now
    web = from_web_token(role_arn=ROLE, web_identity_token=source(grant="device_code"))
    with terminal():
        web.bind(Scope(clock=clock)).load().get_frozen_credentials()
    assert aws.operations()[-1] == "AssumeRoleWithWebIdentity"


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (
            {"verification_uri": "http://203.0.113.7"},
            "an address of the issuer http://.* names",
        ),
        ({"user_code": "\x1b[2J"}, "the issuer answered without a code for the sign-in"),
        ({"user_code": None}, "an address of the issuer http://.* is not"),
    ],
)
def test_what_a_terminal_may_not_show(answer, fact, aws, source):
    good = json.loads(aws.sign_in(None).body)
    changed = good | answer if answer.get("user_code", "") is not None else {}
    aws.script("StartSignIn", fakes.Answer(json.dumps(changed).encode()))
    with terminal() as shown:
        with pytest.raises(FetchError, match=fact):
            source(grant="device_code")()
        sys.stderr.write("nothing")
        sys.stderr.flush()
        assert shown() == "nothing"


def test_a_server_without_sign_in_is_named(aws, source):
    document = json.loads(aws.discovery(None).body)
    del document["device_authorization_endpoint"]
    aws.script("Discover", fakes.Answer(json.dumps(document).encode()))
    text = "does not support device_code: use another"
    with terminal(), pytest.raises(ConfigurationError, match=text):
        source(grant="device_code")()
