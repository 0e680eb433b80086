"""``from_container_metadata``; what may go wrong is in ``tests/cases/native.toml``."""

import json

import pytest

from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_container_metadata,
    from_http,
)
from tests import fakes


@pytest.fixture
def container(aws, monkeypatch):
    """Say where the endpoint is, as ECS or EKS does."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/v1/keys")
    return aws


def test_credentials_have_their_account(container, clock):
    container.now = clock.now
    keys = from_container_metadata().fetch()
    assert (keys.account_id, keys.expiration) == ("123456789012", clock.at(3600))
    assert keys.features == ()
    assert from_container_metadata()._guarded_fetch().features == ("CREDENTIALS_HTTP",)
    assert container.requests[0].target == "/v1/keys"


def test_the_token_of_the_environment_is_sent(container, monkeypatch, world):
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", one := fakes.secret("token"))
    from_container_metadata().fetch()
    (world / "token").write_text(f"{(two := fakes.secret('token'))}\n")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(world / "token"))
    from_container_metadata().fetch()
    assert [one.headers["Authorization"] for one in container.requests] == [one, two]


def test_the_relative_address_is_that_of_the_agent_of_ecs(ecs_agent, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/keys")
    from_container_metadata().fetch()
    (request,) = ecs_agent.requests
    assert (request.headers["Host"], request.target) == ("169.254.170.2", "/v2/keys")


def test_a_profile_has_no_say(container, config):
    """The variables and nothing else say where the endpoint is, also for a link of a profile."""
    config(
        "[default]\ncredential_chain = EcsContainer\n"
        "container_credentials_full_uri = http://127.0.0.1:9/\n"
    )
    assert create_credential_chain("profile default").fetch().account_id


@pytest.mark.parametrize(
    ("options", "attempts"), [({}, 1), ({"max_retries": 0}, 1), ({"max_retries": 2}, 3)]
)
def test_attempts(container, clock, options, attempts):
    """No request is repeated unless an option says so."""
    container.always("GET", fakes.Answer(status=500))
    provider = from_container_metadata(**options).bind(Scope(clock=clock))
    with pytest.raises(FetchError, match=f"127.0.0.1:{container.port} answered with status 500"):
        provider.fetch()
    assert len(container.requests) == attempts


def test_silence_is_waited_for_no_longer_than_the_timeout(container):
    container.always("GET", fakes.Answer(silence=30))
    with pytest.raises(FetchError, match="sent no data for 0.1 s"):
        from_container_metadata(timeout=0.1).fetch()


def test_a_timeout_is_seconds(container):
    with pytest.raises(ConfigurationError, match="timeout .* not in milliseconds"):
        from_container_metadata(timeout=1000).load()


def test_a_chain_skips_it_outside_a_container():
    chain = create_credential_chain(
        from_container_metadata(), lambda: {"AccessKeyId": "A", "SecretKey": "s"}
    )
    assert chain.fetch().access_key == "A"


@pytest.mark.parametrize(
    "answer",
    [
        fakes.Answer(status=404),
        fakes.Answer(b"<html>"),
        fakes.Answer(json.dumps({"AccessKeyId": "A"}).encode()),
    ],
)
def test_a_chain_stops_at_an_endpoint_that_fails(container, answer):
    container.always("GET", answer)
    with pytest.raises(FetchError):
        create_credential_chain(from_container_metadata(), from_http()).fetch()


def test_a_chain_stops_at_an_address_that_is_none(monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/keys")
    with pytest.raises((ConfigurationError, FetchError)) as raised:
        create_credential_chain(from_container_metadata(), from_http()).fetch()
    assert "from_http" not in str(raised.value)


def test_malformed_variable_is_reported_by_load(monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "keys")
    with pytest.raises(
        ConfigurationError, match="environment variable AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    ):
        from_container_metadata().load()
