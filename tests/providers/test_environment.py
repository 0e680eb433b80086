"""``from_env``; what may go wrong is in ``tests/cases/native.toml``."""

import pytest

from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_env,
    from_process,
)
from tests import fakes


@pytest.fixture
def environment(monkeypatch):
    """Set the variables; what is None is unset."""

    def write(**changed):
        variables = {"ACCESS_KEY_ID": "AKIAENV", "SECRET_ACCESS_KEY": fakes.secret("secret-key")}
        for name, value in (variables | changed).items():
            if value is None:
                monkeypatch.delenv(f"AWS_{name}", raising=False)
            else:
                monkeypatch.setenv(f"AWS_{name}", value)

    return write


def test_credentials_of_a_user(environment):
    environment()
    keys = from_env().fetch()
    assert (keys.access_key, keys.token, keys.expiration, keys.account_id) == (
        "AKIAENV", None, None, None,
    )  # fmt: skip
    assert keys.secret_key in fakes.SECRETS


def test_account_token_and_expiration_are_taken(environment, clock):
    token = fakes.secret("session-token")
    environment(
        SESSION_TOKEN=token,
        ACCOUNT_ID="123456789012",
        CREDENTIAL_EXPIRATION=fakes.at(clock.time + 60),
    )
    keys = from_env().bind(Scope(clock=clock)).fetch()
    assert (keys.token, keys.account_id, keys.expiration) == (token, "123456789012", clock.at(60))


def test_an_empty_expiration_is_none(environment):
    environment(CREDENTIAL_EXPIRATION="")
    assert from_env().fetch().expiration is None


def test_variables_are_read_at_each_fetch(environment, clock):
    environment(CREDENTIAL_EXPIRATION=fakes.at(clock.time + 900))
    credentials = from_env().bind(Scope(clock=clock)).load()
    environment(ACCESS_KEY_ID="AKIANEW", CREDENTIAL_EXPIRATION=fakes.at(clock.time + 900))
    assert credentials.access_key == "AKIANEW"


@pytest.mark.parametrize("left", [0, -1])
def test_expired_credentials_are_an_error(environment, clock, left):
    environment(CREDENTIAL_EXPIRATION=fakes.at(clock.time + left))
    with pytest.raises(
        FetchError, match="the credentials in the environment expired at 2027-01-15T0"
    ):
        from_env().bind(Scope(clock=clock)).fetch()


@pytest.mark.parametrize("empty", [None, "", " "])
def test_chain_skips_an_environment_without_credentials(environment, empty):
    environment(ACCESS_KEY_ID=empty, SECRET_ACCESS_KEY=empty)
    assert from_env().load() is None
    chain = create_credential_chain(from_env(), lambda: {"AccessKeyId": "A", "SecretKey": "s"})
    assert chain.fetch().access_key == "A"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"SECRET_ACCESS_KEY": None}, ConfigurationError),
        ({"CREDENTIAL_EXPIRATION": "soon"}, ConfigurationError),
        ({"CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"}, FetchError),
    ],
)
def test_chain_stops_at_malformed_credentials(environment, changed, error):
    environment(**changed)
    with pytest.raises(error):
        create_credential_chain(from_env(), from_process()).fetch()


def test_no_secret_is_the_context_of_an_error(environment):
    environment(SECRET_ACCESS_KEY=None, SESSION_TOKEN=fakes.secret("session-token"))
    with pytest.raises(ConfigurationError) as raised:
        from_env().fetch()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
