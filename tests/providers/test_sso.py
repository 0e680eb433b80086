"""``from_sso``; what may go wrong is in ``tests/cases/native.toml``."""

import json
import threading
from functools import wraps

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from botocore_ext import ConfigurationError, FetchError, Scope, create_credential_chain, from_sso
from tests import fakes

START_URL = "https://d-abc123.awsapps.com/start"
INLINE = {
    "sso_start_url": START_URL,
    "sso_account_id": "123456789012",
    "sso_region": "us-east-1",
    "sso_role_name": "SampleRole",
}
SESSION = f"""[sso-session mine]
sso_start_url = {START_URL}
sso_region = us-east-1

[profile dev]
sso_session = mine
sso_account_id = 123456789012
sso_role_name = SampleRole
"""
#: Seconds before its expiry at which a token of a session is renewed, as botocore has it.
RENEWED_BEFORE = 15 * 60


@pytest.fixture
def scope(aws, clock):
    """A clock that does not move, for the fake, too."""
    aws.now = clock.now
    return Scope(clock=clock)


@pytest.fixture
def log_in(world, clock):
    """Log in: with the token's seconds to live."""
    return lambda left=28_800, of=START_URL, **changed: fakes.sso_token(
        world, of, clock.time + left, **changed
    )


def token_in(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_credentials_for_a_start_url(aws, scope, clock, log_in):
    token = token_in(log_in())["accessToken"]
    keys = from_sso(**INLINE).bind(scope)._guarded_fetch()
    assert (keys.account_id, keys.expiration) == ("123456789012", clock.at(3600))
    assert keys.features == ("CREDENTIALS_PROFILE_SSO_LEGACY", "CREDENTIALS_SSO_LEGACY")
    (request,) = aws.requests
    assert request.operation == "GetRoleCredentials"
    assert request.target == (
        "/federation/credentials?role_name=SampleRole&account_id=123456789012"
    )
    assert request.headers["x-amz-sso_bearer_token"] == token
    assert "Authorization" not in request.headers


def test_credentials_for_a_profile(aws, scope, config, log_in):
    lines = "".join(f"{name} = {value}\n" for name, value in INLINE.items())
    config(f"[profile old]\n{lines}")
    log_in()
    assert from_sso(profile="old").bind(scope).fetch().secret_key in fakes.SECRETS


def test_credentials_for_a_session(aws, scope, config, log_in):
    config(SESSION)
    token = token_in(log_in(of="mine"))["accessToken"]
    keys = from_sso(profile="dev").bind(scope)._guarded_fetch()
    assert keys.features == ("CREDENTIALS_PROFILE_SSO", "CREDENTIALS_SSO")
    assert [one.headers["x-amz-sso_bearer_token"] for one in aws.requests] == [token]


@pytest.mark.parametrize("option", ["filepath", "config_filepath"])
def test_other_files_can_be_named(aws, scope, world, log_in, option):
    text = SESSION if option == "config_filepath" else SESSION.replace("[profile dev]", "[dev]")
    if option == "filepath":  # sessions are in the config file only
        session, _, text = text.partition("\n\n")
        (world / "config").write_text(session)
    (world / "own").write_text(text)
    log_in(of="mine")
    provider = from_sso(profile="dev", **{option: str(world / "own")})
    assert provider.bind(scope).fetch().access_key


def test_a_session_of_the_files_completes_options_in_code(aws, scope, config, log_in):
    config(SESSION)
    log_in(of="mine")
    provider = from_sso(sso_session="mine", sso_account_id="1", sso_role_name="R").bind(scope)
    assert provider.fetch().account_id == "1"


@pytest.mark.parametrize(
    ("left", "renewed"), [(RENEWED_BEFORE, False), (RENEWED_BEFORE - 1, True), (-1, True)]
)
def test_the_token_of_a_session_is_renewed_in_time(
    aws, scope, config, log_in, clock, left, renewed
):
    config(SESSION)
    path = log_in(left, of="mine")
    before = token_in(path)
    from_sso(profile="dev").bind(scope).fetch()
    after = token_in(path)
    assert (before != after) == renewed
    assert aws.requests[-1].headers["x-amz-sso_bearer_token"] == after["accessToken"]
    if not renewed:
        assert aws.operations() == ["GetRoleCredentials"]
        return
    assert aws.operations() == ["CreateToken", "GetRoleCredentials"]
    assert aws.requests[0].parameters == {
        "clientId": before["clientId"],
        "clientSecret": before["clientSecret"],
        "refreshToken": before["refreshToken"],
        "grantType": "refresh_token",
    }
    assert "Authorization" not in aws.requests[0].headers
    assert after["refreshToken"] != before["refreshToken"]
    assert after["expiresAt"] == fakes.at(clock.time + 28_800)
    unchanged = ("startUrl", "region", "clientId", "clientSecret", "registrationExpiresAt")
    assert [after[name] for name in unchanged] == [before[name] for name in unchanged]


def test_refresh_token_without_a_new_one_stays(aws, scope, config, log_in):
    config(SESSION)
    path = log_in(60, of="mine")
    before = token_in(path)
    answer = {"accessToken": fakes.secret("access-token"), "expiresIn": 600, "tokenType": "Bearer"}
    aws.script("CreateToken", fakes.Answer(json.dumps(answer).encode()))
    provider = from_sso(profile="dev").bind(scope)
    provider.fetch()
    assert token_in(path)["refreshToken"] == before["refreshToken"]
    provider.fetch()  # ten minutes are fewer than fifteen: it is used
    assert aws.operations() == ["CreateToken", "GetRoleCredentials"] * 2


def test_a_renewed_token_is_used_where_it_cannot_be_written(
    aws, scope, config, log_in, monkeypatch, caplog
):
    config(SESSION)
    path = log_in(-1, of="mine")

    def refused(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refused)
    assert from_sso(profile="dev").bind(scope).fetch().access_key
    assert f"could not be written to {path} (Read-only file system)" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        fakes.error("InvalidGrantException"),
        fakes.error("InternalServerException", status=500),
        fakes.Answer(b"<html>"),
        fakes.Answer(b"{}", cut=1),
    ],
    ids=["refused", "500", "HTML", "cut"],
)
def test_a_token_that_is_still_valid_outlives_a_failed_renewal(
    aws, scope, config, log_in, monkeypatch, answer
):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    config(SESSION)
    path = log_in(60, of="mine")
    aws.always("CreateToken", answer)
    assert from_sso(profile="dev").bind(scope).fetch().access_key
    token = token_in(path)["accessToken"]
    assert aws.requests[-1].headers["x-amz-sso_bearer_token"] == token


@pytest.mark.parametrize("missing", ["refreshToken", "clientSecret", "clientId"])
def test_valid_token_outlives_a_failed_refresh(aws, scope, config, log_in, missing):
    config(SESSION)
    log_in(60, of="mine", **{missing: None})
    provider = from_sso(profile="dev").bind(scope)
    assert provider.fetch().access_key
    log_in(-1, of="mine", **{missing: None})
    with pytest.raises(
        FetchError, match="expired and could not be refreshed: log in again with `aws"
    ):
        provider.fetch()


@pytest.mark.parametrize("value", [None, ""])
def test_a_token_without_a_registration_time_is_renewed(aws, scope, config, log_in, value):
    config(SESSION)
    path = log_in(-1, of="mine", registrationExpiresAt=value)
    before = token_in(path)
    assert from_sso(profile="dev").bind(scope).fetch().access_key
    assert aws.operations() == ["CreateToken", "GetRoleCredentials"]
    after = token_in(path)
    assert after["refreshToken"] != before["refreshToken"]
    assert after.get("registrationExpiresAt") == before.get("registrationExpiresAt")


def test_expired_registration_refreshes_nothing(aws, scope, config, log_in, clock):
    config(SESSION)
    log_in(-1, of="mine", registrationExpiresAt=fakes.at(clock.time - 1))
    with pytest.raises(FetchError, match="log in again"):
        from_sso(profile="dev").bind(scope).fetch()
    assert aws.operations() == []


@pytest.mark.parametrize("renewed", [True, False])
def test_login_during_a_refresh_is_used_and_stays(aws, scope, config, log_in, renewed):
    """The tokens of two people never meet in one file."""
    config(SESSION)
    path = log_in(-1, of="mine")
    newer = {}

    def another_login(request):
        newer.update(token_in(log_in(of="mine")))
        return aws.oidc(request) if renewed else fakes.Answer(b"<html>")

    aws.script("CreateToken", another_login)
    assert from_sso(profile="dev").bind(scope).fetch().access_key
    assert aws.operations() == ["CreateToken", "GetRoleCredentials"]
    assert aws.requests[-1].headers["x-amz-sso_bearer_token"] == newer["accessToken"]
    assert token_in(path) == newer


def test_a_logout_during_a_renewal_is_not_undone(aws, scope, config, log_in):
    config(SESSION)
    path = log_in(-1, of="mine")

    def logout(request):
        path.unlink()
        return aws.oidc(request)

    aws.script("CreateToken", logout)
    with pytest.raises(FetchError, match="No such file"):
        from_sso(profile="dev").bind(scope).fetch()
    assert not path.exists()


def test_threads_share_one_renewal(aws, scope, config, log_in):
    config(SESSION)
    log_in(-1, of="mine")
    aws.delay = 0.05
    credentials = from_sso(profile="dev").bind(scope).load()
    threads = [threading.Thread(target=credentials.get_frozen_credentials) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert aws.operations() == ["CreateToken", "GetRoleCredentials"]


@pytest.fixture
def hosts(monkeypatch):
    """Return the hosts of inner clients, which are made but cannot ask anybody."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    seen = []
    create = botocore.session.Session.create_client

    @wraps(create)
    def noted(self, *rest, **more):
        client = create(self, *rest, **more)
        seen.append(client.meta.endpoint_url)
        client.meta.events.register_first("before-send", lambda **_: refuse())
        return client

    def refuse():
        raise ReadTimeoutError(endpoint_url="it")

    monkeypatch.setattr(botocore.session.Session, "create_client", noted)
    return seen


@pytest.mark.parametrize(
    ("client_config", "region"), [(None, "us-east-1"), ({"region_name": "sa-east-1"}, "sa-east-1")]
)
def test_client_config_may_change_the_region(
    scope, config, log_in, hosts, client_config, region, monkeypatch
):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    config(SESSION)
    log_in(60, of="mine")
    with pytest.raises(ReadTimeoutError):
        from_sso(profile="dev", client_config=client_config).bind(scope).fetch()
    assert hosts == [
        f"https://portal.sso.{region}.amazonaws.com",
        f"https://oidc.{region}.amazonaws.com",
    ]


def test_client_config_reaches_both_inner_clients(aws, scope, config, log_in):
    config(SESSION)
    log_in(60, of="mine")
    client_config = {"config": Config(user_agent_extra="mine")}
    from_sso(profile="dev", client_config=client_config).bind(scope).fetch()
    assert ["mine" in one.headers["User-Agent"] for one in aws.requests] == [True, True]


def test_a_ready_made_client_is_used(aws, scope, log_in):
    log_in()
    config = Config(signature_version=UNSIGNED, user_agent_extra="ready")
    client = botocore.session.Session().create_client("sso", "us-east-1", config=config)
    from_sso(**INLINE, client=client).bind(scope).fetch()
    assert "ready" in aws.requests[0].headers["User-Agent"]


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (INLINE, "`aws sso login` and a profile that has this sso_start_url"),
        ({**INLINE, "sso_session": "mine"}, "`aws sso login --sso-session mine`"),
        ({"profile": "old"}, "`aws sso login --profile old`"),
    ],
)
def test_the_remedy_is_for_the_login_that_is_missing(config, given, remedy):
    lines = [f"{name} = {value}" for name, value in INLINE.items()]
    config("\n".join([SESSION, "[profile old]", *lines]))
    with pytest.raises(FetchError) as caught:
        from_sso(**given).fetch()
    assert str(caught.value).endswith(f": log in again with {remedy}")


def test_a_client_of_another_service_is_an_error_of_code():
    """Else the token file would seem to be broken."""
    other = botocore.session.Session().create_client("sts", "us-east-1")
    fact = r"client passed to from_sso\(\) must .* has get_role_credentials\(\), not STS: for ex"
    with pytest.raises(ConfigurationError, match=fact):
        from_sso(**INLINE, client=other).load()


def test_inner_clients_are_created_once(aws, scope, config, log_in, monkeypatch):
    config(SESSION)
    log_in(60, of="mine")
    made = []
    create = botocore.session.Session.create_client

    @wraps(create)
    def noted(self, service, *rest, **more):
        made.append(service)
        return create(self, service, *rest, **more)

    monkeypatch.setattr(botocore.session.Session, "create_client", noted)
    provider = from_sso(profile="dev").bind(scope)
    provider.fetch()
    log_in(60, of="mine")
    provider.fetch()
    assert sorted(made) == ["sso", "sso-oidc"]


def test_a_chain_steps_over_a_profile_without_sso(config):
    config("[profile dev]\nsso_session = mine\n")  # for tokens only, which other services take
    chain = create_credential_chain(
        from_sso(profile="dev"), from_sso(), lambda: {"AccessKeyId": "A", "SecretKey": "s"}
    )
    assert chain.fetch().access_key == "A"


@pytest.mark.parametrize("missing", INLINE)
def test_a_part_of_what_is_needed_stops_a_chain(missing):
    given = {name: value for name, value in INLINE.items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"{missing} is not set.*, pass {missing}="):
        create_credential_chain(from_sso(**given), from_sso()).fetch()


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        (
            {"sso_role_name": "Other"},
            "not set in code, where sso_role_name is set: for example, pass sso_account",
        ),
        ({}, "not set in profile 'dev': for example, set sso_account_id = "),
    ],
)
def test_what_is_missing_can_be_set_only_where_the_rest_is(config, given, fact):
    """Half in code and half in a profile would be neither's account and role."""
    without = "\n[profile dev]\nsso_role_name = SampleRole\n"
    config(SESSION if given else without)
    with pytest.raises(ConfigurationError) as caught:
        from_sso(profile="dev", **given).load()
    assert fact in str(caught.value)
    assert str(caught.value).count("sso_account_id = ") + str(caught.value).count("pass ") == 1


def test_a_login_that_is_over_stops_a_chain(scope, log_in):
    log_in(0)
    with pytest.raises(FetchError, match="has expired or is not accepted anymore"):
        create_credential_chain(from_sso(**INLINE), from_sso()).bind(scope).fetch()


def test_a_refusal_of_the_service_passes_unchanged(aws, scope, log_in):
    log_in()
    aws.script("GetRoleCredentials", fakes.error("ResourceNotFoundException", message="no role"))
    with pytest.raises(ClientError, match="no role"):
        from_sso(**INLINE).bind(scope).fetch()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"sso_region": "us east"}, "'us east' doesn't match a supported format"),
        ({"client_config": {"endpoint_url": "portal"}}, "Invalid endpoint: portal"),
    ],
)
def test_client_that_cannot_be_created_says_why(log_in, changed, text):
    """And not that one must log in again."""
    log_in()
    with pytest.raises(ValueError, match=text):
        from_sso(**{**INLINE, **changed}).fetch()


def test_silent_service_ends_with_the_timeout(aws, scope, log_in):
    log_in()
    aws.always("GetRoleCredentials", fakes.Answer(silence=30))
    config = Config(read_timeout=0.1, retries={"total_max_attempts": 1})
    with pytest.raises(ReadTimeoutError):
        from_sso(**INLINE, client_config={"config": config}).bind(scope).fetch()


@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize(
    "changed",
    [
        {"accessToken": None},
        {"accessToken": ["<secret>"]},
        {"accessToken": {"it": "<secret>"}},
        {"expiresAt": None},
        {"expiresAt": "<secret>"},
        {"expiresAt": 1},
        {"expiresAt": "2030-01-01T00:00:00"},
    ],
    ids=str,
)
def test_nothing_of_a_malformed_token_file_is_shown(
    aws, scope, config, log_in, session, changed, caplog
):
    config(SESSION)
    secret = fakes.secret("malformed")
    changed = json.loads(json.dumps(changed).replace("<secret>", secret))
    path = log_in(of="mine" if session else START_URL, **changed)
    provider = from_sso(profile="dev") if session else from_sso(**INLINE)
    with pytest.raises(FetchError) as raised:
        provider.bind(scope).fetch()
    assert str(path) in raised.value.reason
    assert "log in again with `aws sso login" in raised.value.reason
    shown = f"{raised.value} {raised.value!r} {caplog.text}"
    assert not [one for one in fakes.SECRETS if one in shown]
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize("key", ["clientId", "refreshToken"])
def test_nothing_of_what_a_renewal_would_send_is_shown(aws, scope, config, log_in, key, caplog):
    config(SESSION)
    log_in(-1, of="mine", **{key: [fakes.secret("malformed")]})
    with pytest.raises(FetchError) as raised:
        from_sso(profile="dev").bind(scope).fetch()
    assert not [one for one in fakes.SECRETS if one in f"{raised.value} {caplog.text}"]


KEYS = {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1}


@pytest.mark.parametrize(
    "found",
    [{"accessKeyId": "A"}, [], KEYS | {"accessKeyId": 1}, KEYS | {"expiration": "soon"}, None],
    ids=["no secret key", "list", "number", "no time", "null"],
)
def test_answer_without_credentials_is_an_error(aws, scope, log_in, found):
    log_in()
    body = json.dumps({"roleCredentials": found})
    aws.always("GetRoleCredentials", fakes.Answer(body.encode()))
    with pytest.raises(FetchError) as raised:
        from_sso(**INLINE).bind(scope).fetch()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
