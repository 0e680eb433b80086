"""``from_instance_metadata``; what may go wrong is in ``tests/cases/native.toml``."""

import json

import botocore.httpsession
import pytest

from botocore_ext import (
    ConfigurationError,
    FetchError,
    NotConfigured,
    Scope,
    create_credential_chain,
    from_default_chain,
    from_ini,
    from_instance_metadata,
    from_temporary_credentials,
)
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/App"
REQUESTS = ["GetMetadataToken", "GetInstanceRole", "GetInstanceKeys"]


@pytest.fixture
def instance(aws, monkeypatch):
    """Be on an instance, whose metadata service is the fake."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    return aws


def no_keys(provider):
    with pytest.raises(NotConfigured) as raised:
        provider.fetch()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    return raised.value.reason


def test_token_role_and_credentials(instance, clock):
    instance.now = clock.now
    keys = from_instance_metadata()._guarded_fetch()
    assert (keys.expiration, keys.features) == (clock.at(3600), ("CREDENTIALS_IMDS",))
    assert keys.secret_key in fakes.SECRETS
    assert instance.operations() == REQUESTS
    token = instance.requests[1].headers["x-aws-ec2-metadata-token"]
    assert token in fakes.SECRETS
    assert instance.requests[2].headers["x-aws-ec2-metadata-token"] == token


@pytest.mark.parametrize("expiration", ["2030-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_expiry_is_not_put_off(instance, expiration):
    """Botocore would: what serves credentials through an outage here is the refresh."""
    keys = instance.keys() | {"Expiration": expiration}
    instance.always("GetInstanceKeys", fakes.Answer(json.dumps(keys).encode()))
    found = from_instance_metadata().fetch().expiration
    assert found.strftime("%Y-%m-%dT%H:%M:%SZ") == expiration


def test_an_expiry_that_is_near_is_not_put_off(instance):
    instance.lifetime = 60
    assert from_instance_metadata().fetch().expiration.timestamp() <= instance.now() + 60


@pytest.mark.parametrize(
    "way",
    [
        from_instance_metadata,
        lambda: create_credential_chain(from_instance_metadata()),
        lambda: create_credential_chain("Ec2InstanceMetadata"),
        from_default_chain,
        lambda: from_ini(profile="chain"),
        lambda: from_temporary_credentials(
            params={"RoleArn": ROLE}, master_credentials=from_instance_metadata()
        ),
    ],
    ids=["alone", "link", "name", "default chain", "profile", "role"],
)
def test_credentials_past_their_expiry_are_served(instance, config, clock, caplog, way):
    """The service serves what it has while AWS cannot issue new ones, and AWS accepts it.

    botocore puts their expiry off by 12 to 20 minutes, and so does a process that starts then.
    """
    config("[profile chain]\ncredential_chain = Environment, Ec2InstanceMetadata\n")
    instance.now = clock.now
    instance.script("GetInstanceKeys", *[expired(instance)] * 2)
    credentials = way().bind(Scope(clock=clock)).load()
    old = credentials.get_frozen_credentials()
    assert "used for another 16 minutes" in caplog.text
    served = [one.gave for one in instance.requests if one.operation == "GetInstanceKeys"]
    if instance.operations()[-1] != "AssumeRole":
        assert [old.access_key] == served
        assert credentials.expiration == clock.at(960)
    clock.advance(3600)
    assert credentials.get_frozen_credentials() != old


def expired(instance):
    """Answer with credentials that expired an hour ago."""

    def answer(request):
        keys = instance.keys(request) | {"Expiration": fakes.at(instance.now() - 3600)}
        return fakes.Answer(json.dumps(keys).encode())

    return answer


def test_rejected_credentials_of_an_instance_are_not_extended(instance, clock):
    """A service has said that they have expired: to serve the same again would never end."""
    instance.now = clock.now
    answer = fakes.Answer(json.dumps(instance.keys() | {"Expiration": fakes.at(0)}).encode())
    instance.always("GetInstanceKeys", answer)
    credentials = from_instance_metadata().bind(Scope(clock=clock)).load()
    access_key = credentials.get_frozen_credentials().access_key
    credentials.invalidate(access_key)
    credentials.get_frozen_credentials()
    assert "rejected as expired" in str(credentials.last_error)


def test_service_without_tokens_gets_no_token(instance):
    instance.always("GetMetadataToken", fakes.Answer(status=404))
    assert from_instance_metadata().fetch().access_key
    assert "x-aws-ec2-metadata-token" not in instance.requests[1].headers


@pytest.mark.parametrize("status", [403, 404, 405])
@pytest.mark.parametrize("how", ["code", "environment", "profile"])
def test_a_service_without_tokens_may_be_refused(instance, config, monkeypatch, status, how):
    instance.always("GetMetadataToken", fakes.Answer(status=status))
    given = {}
    if how == "code":
        given = {"ec2_metadata_v1_disabled": True}
    elif how == "environment":
        monkeypatch.setenv("AWS_EC2_METADATA_V1_DISABLED", "true")
    else:
        config("[default]\nec2_metadata_v1_disabled = true\n")
    assert no_keys(from_instance_metadata(**given)) == (
        f"the metadata service at {instance.url} returned no token, and IMDSv1, which needs none, "
        "is disabled: raise the hop limit of the instance for containers, or allow IMDSv1"
    )
    assert instance.operations() == ["GetMetadataToken"]


def test_code_precedes_the_imdsv1_setting(instance, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_V1_DISABLED", "true")
    instance.always("GetMetadataToken", fakes.Answer(status=404))
    assert from_instance_metadata(ec2_metadata_v1_disabled=False).fetch().access_key


@pytest.mark.parametrize(
    ("options", "environment", "attempts"),
    [
        ({}, {}, 1),
        ({"max_retries": 2}, {}, 3),
        ({}, {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}, 2),
        ({"max_retries": 0}, {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}, 1),
    ],
)
def test_attempts(instance, monkeypatch, options, environment, attempts):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    instance.always("GetInstanceRole", fakes.Answer(status=500))
    no_keys(from_instance_metadata(**options))
    assert instance.operations() == ["GetMetadataToken"] + ["GetInstanceRole"] * attempts


@pytest.mark.usefixtures("instance")
@pytest.mark.parametrize(
    ("options", "environment", "timeout"),
    [
        ({}, {}, 1),
        ({"timeout": 0.5}, {}, 0.5),
        ({}, {"AWS_METADATA_SERVICE_TIMEOUT": "7"}, 7),
        ({"timeout": 1}, {"AWS_METADATA_SERVICE_TIMEOUT": "7"}, 1),
    ],
)
def test_the_timeout_is_that_of_every_request(mocker, monkeypatch, options, environment, timeout):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = mocker.spy(botocore.httpsession, "URLLib3Session")
    from_instance_metadata(**options).fetch()
    assert {one.kwargs["timeout"] for one in made.call_args_list} == {timeout}


NO_KEYS = (
    "the metadata service at {url} returned no credentials: give the instance a role, or raise its "
    "hop limit for containers; set AWS_EC2_METADATA_DISABLED=true if this is not an EC2 instance"
)


@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize(
    "answer",
    [
        {"silence": 30},
        {"status": 400},
        {"status": 401},
        {"status": 404},
        {"status": 503},
        {"body": b"<html>\r\n<secret>"},
        {"body": b"{" * 1000, "cut": 10},
        {"body": b'{"Code": "Failed", "Message": "<secret>"}'},
    ],
    ids=["silent", "400", "401", "404", "503", "HTML", "cut", "failed"],
)
def test_a_chain_skips_what_is_not_a_metadata_service(instance, monkeypatch, asked, answer):
    """Many hosts have something at that address, or nothing; and no secret is shown of it."""
    secret = fakes.secret("answer").encode()
    body = {"body": answer["body"].replace(b"<secret>", secret)} if "body" in answer else {}
    instance.always(asked, fakes.Answer(**{**answer, **body}))
    provider = from_instance_metadata(timeout=0.2)
    chain = create_credential_chain(provider, lambda: {"AccessKeyId": "A", "SecretKey": "s"})
    access_key = chain.fetch().access_key
    assert access_key in {"A", *(one.gave for one in instance.requests)}
    if access_key == "A":
        assert no_keys(provider) == NO_KEYS.format(url=instance.url)


def test_unreachable_service_is_not_configured(instance):
    instance.close()
    assert no_keys(from_instance_metadata()) == NO_KEYS.format(url=instance.url)


def test_a_proxy_that_cannot_be_reached_is_not_here(instance, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert no_keys(from_instance_metadata()) == NO_KEYS.format(url=instance.url)


def test_dripping_answer_ends_with_the_budget(instance, monkeypatch):
    monkeypatch.setattr("botocore_ext.providers.instance.FETCH_BUDGET", 0.3)
    instance.always("GetInstanceRole", fakes.Answer(b"r" * 1000, drip=0.1))
    assert no_keys(from_instance_metadata()) == NO_KEYS.format(url=instance.url)


WRONG_TYPE = {"AccessKeyId": [], "SecretAccessKey": 1, "Token": "t", "Expiration": "2030-01-01"}


@pytest.mark.parametrize("body", [None, 1, WRONG_TYPE], ids=["null", "number", "wrong type"])
def test_malformed_credentials_stop_a_chain(instance, body):
    instance.always("GetInstanceKeys", fakes.Answer(json.dumps(body).encode()))
    with pytest.raises(
        FetchError, match=rf"the metadata service at {instance.url} returned .* cannot be"
    ):
        create_credential_chain(from_instance_metadata(), from_instance_metadata()).fetch()


@pytest.mark.parametrize("value", ["true", "TRUE"])
def test_a_chain_steps_over_a_service_that_is_disabled(instance, monkeypatch, value):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", value)
    assert from_instance_metadata().load() is None
    assert no_keys(from_instance_metadata()) == "AWS_EC2_METADATA_DISABLED is true"
    assert not instance.requests


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "imds",
            "imds is not an address of a metadata service",
        ),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5", "ipv5 is neither ipv4 nor ipv6"),
    ],
)
def test_a_wrong_address_stops_a_chain(instance, monkeypatch, name, value, text):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{text}: correct AWS_EC2_METADATA_SERVICE_END"):
        create_credential_chain(from_instance_metadata(), from_instance_metadata()).fetch()
