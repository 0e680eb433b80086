"""``from_http`` in code; its profile and what may go wrong are in ``tests/cases``."""

import gc
import json
import socket

import pytest

from botocore_ext import ConfigurationError, FetchError, Scope, from_http
from tests import fakes


def ask(aws, path="/", **options):
    options = {"aws_container_credentials_full_uri": aws.url + path} | options
    return from_http(**options).fetch()


def test_the_query_arrives_as_it_was_written(aws):
    ask(aws, "/a/../b//?b=2&a=1&a=%20x#fragment")
    assert aws.requests[0].target == "/a/../b//?b=2&a=1&a=%20x"


def test_the_environment_selects_a_provider_built_in_code(aws, monkeypatch, world):
    assert from_http().load() is None
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/env")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", fakes.secret("beaten"))
    (world / "token").write_text(token := fakes.secret("token"))
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(world / "token"))
    from_http().load().get_frozen_credentials()
    assert aws.requests[0].target == "/env"
    assert aws.requests[0].headers["Authorization"] == token


def test_authorization_comes_from_the_origin_of_the_address(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/env")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", fakes.secret("environment"))
    ask(aws, "/code")
    assert aws.requests[0].target == "/code"
    assert "Authorization" not in aws.requests[0].headers


def test_token_in_code_is_not_for_the_environments_address(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    provider = from_http(aws_container_authorization_token=fakes.secret())
    with pytest.raises(ConfigurationError, match="is not used without an address"):
        provider.load()


def test_a_relative_address_beats_a_full_one_of_the_same_origin(ecs_agent):
    provider = from_http(
        aws_container_credentials_full_uri="http://127.0.0.1:9/full",
        aws_container_credentials_relative_uri="/relative?a=1",
    )
    provider.fetch()
    (request,) = ecs_agent.requests
    assert (request.headers["Host"], request.target) == ("169.254.170.2", "/relative?a=1")


def test_the_token_file_is_read_at_each_attempt_and_stripped(aws, world):
    path = world / "token"
    tokens = [fakes.secret("token"), fakes.secret("token")]
    path.write_text(f"{tokens[0]}\n")

    def fail_and_rotate(_):
        path.write_text(f"{tokens[1]}\r\n")
        return fakes.Answer(status=500)

    aws.script("GET", fail_and_rotate)
    ask(aws, aws_container_authorization_token_file=str(path))
    assert [one.headers["Authorization"] for one in aws.requests] == tokens


def test_the_token_file_beats_the_token(aws, world):
    (world / "token").write_text(token := fakes.secret("file"))
    ask(
        aws,
        aws_container_authorization_token=fakes.secret("beaten"),
        aws_container_authorization_token_file=str(world / "token"),
    )
    assert aws.requests[0].headers["Authorization"] == token


def test_a_token_in_code_names_its_file_option_in_code(aws, world):
    with pytest.raises(FetchError, match="aws_container_authorization_token_file: the token file"):
        ask(aws, aws_container_authorization_token_file=str(world / "none"))


def test_a_token_file_that_no_header_carries_is_an_error(aws, world):
    (world / "token").write_text("gr\u00fc\u00df", encoding="utf-8")
    with pytest.raises(FetchError, match="a header cannot carry"):
        ask(aws, aws_container_authorization_token_file=str(world / "token"))


def test_a_token_may_come_from_a_callable(aws):
    ask(aws, aws_container_authorization_token=lambda: "from a callable\n")
    assert aws.requests[0].headers["Authorization"] == "from a callable"


def test_a_body_in_pieces_is_put_together(aws):
    body = json.dumps(aws.keys()).encode()
    aws.script("GET", fakes.Answer(body, drip=0.0005))
    assert ask(aws).access_key


@pytest.mark.parametrize("beyond", [0, 1])
def test_an_answer_may_have_64_kib_and_no_more(aws, beyond):
    body = json.dumps(aws.keys()).encode().ljust(64 * 1024 + beyond)
    aws.always("GET", fakes.Answer(body))
    if beyond:
        with pytest.raises(FetchError, match="sent more than 65536 bytes"):
            ask(aws)
    else:
        assert ask(aws).access_key
    assert len(aws.requests) == 1


def test_a_replaced_token_is_sent_with_the_next_fetch(aws):
    provider = from_http(
        aws_container_credentials_full_uri=aws.url, aws_container_authorization_token="one"
    )
    credentials = provider.load()
    credentials.get_frozen_credentials()
    provider.aws_container_authorization_token = "two"
    credentials.get_frozen_credentials()
    assert [one.headers["Authorization"] for one in aws.requests] == ["one", "two"]


@pytest.mark.parametrize("token", ["a\r\nb", "a\nb", "a\x00b", "ä"])
def test_a_token_that_no_header_carries_is_an_error(aws, token):
    with pytest.raises(ConfigurationError, match="a header cannot carry"):
        ask(aws, aws_container_authorization_token=token)


@pytest.mark.parametrize(
    "expiration",
    [
        "2030-01-02T03:04:05Z",
        "2030-01-02T03:04:05.000Z",
        "2030-01-02t03:04:05z",
        "2030-01-02T04:04:05+01:00",
        "2030-01-02T04:04:05.999999+0100",
        "2030-01-02 03:04:05Z",
        "2030-01-02T03:04:05",
        1893553445,
    ],
)
def test_expirations_in_every_form(aws, expiration):
    keys = aws.keys() | {"Expiration": expiration}
    aws.script("GET", fakes.Answer(json.dumps(keys).encode()))
    found = ask(aws).expiration
    assert int(found.timestamp()) == 1893553445


def test_retries_stop_at_the_budget_of_a_fetch(aws, clock):
    aws.always("GET", fakes.Answer(status=500))
    provider = from_http(
        aws_container_credentials_full_uri=aws.url, timeout=4, max_retries=100
    ).bind(Scope(clock=clock))
    started = clock.time
    with pytest.raises(FetchError, match="status 500"):
        provider.fetch()
    assert clock.time - started <= 25
    assert 1 < len(aws.requests) < 10


def test_retries_can_be_switched_off(aws):
    aws.always("GET", fakes.Answer(status=503))
    with pytest.raises(FetchError, match="status 503"):
        ask(aws, max_retries=0)
    assert len(aws.requests) == 1


def test_an_answer_after_a_failure_is_used(aws):
    aws.script("GET", fakes.Answer(status=500), fakes.Answer(status=429), fakes.Answer(b"<html>"))
    assert ask(aws).account_id == "123456789012"
    assert len(aws.requests) == 4


@pytest.mark.parametrize("order", [["127.0.0.9", "127.0.0.1"], ["127.0.0.1", "127.0.0.9"]])
def test_each_address_of_a_name_is_tried_in_order(aws, monkeypatch, order):
    """Nothing listens on the first; the checked address is the one that is connected to."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in order]
    real = socket.getaddrinfo

    def resolve(host, *rest, **more):
        return found if host == "agent" else real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    from_http(aws_container_credentials_full_uri=f"http://agent:{aws.port}/x").fetch()
    assert aws.requests[0].headers["Host"] == f"agent:{aws.port}"


def test_a_name_with_one_address_elsewhere_is_refused(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in ("127.0.0.1", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(FetchError, match="agent resolves to 10.0.0.1"):
        from_http(aws_container_credentials_full_uri="http://agent/x").fetch()


def test_no_socket_is_left_open(aws, recwarn):
    for _ in range(3):
        ask(aws)
    gc.collect()
    assert not [one for one in recwarn if issubclass(one.category, ResourceWarning)]


@pytest.mark.parametrize(
    "token", ["/9j4AAQSkZJRg==", "process://echo x", "env://HOME", "file:///x"]
)
def test_a_token_of_the_environment_is_sent_as_it_is(aws, monkeypatch, token):
    """References are for profiles: who sets a variable means its value."""
    fakes.SECRETS.add(token)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
    from_http().fetch()
    assert aws.requests[0].headers["Authorization"] == token


def test_token_and_address_of_the_environment_stay_together(aws, monkeypatch):
    """Both are resolved once; a token that is set later may be for another host."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token-of-this-host")
    provider = from_http()
    provider.fetch()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://other.example.com/")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token-of-another-host")
    provider.fetch()
    sent = [one.headers["Authorization"] for one in aws.requests]
    assert sent == ["token-of-this-host"] * 2
