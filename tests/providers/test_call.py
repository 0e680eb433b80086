"""A provider can be called for its credentials."""

import pytest

from botocore_ext import FrozenCredentials, NotConfigured, Scope, from_http, from_web_token
from botocore_ext.providers.function import FunctionProvider
from tests import fakes


@pytest.fixture
def provider(aws, clock):
    aws.now = clock.now
    return from_web_token(
        role_arn="arn:aws:iam::123456789012:role/Web", web_identity_token=fakes.secret("token")
    ).bind(Scope(clock=clock))


def test_it_returns_credentials_with_their_expiration(provider, clock, aws):
    found = provider()
    assert type(found) is FrozenCredentials
    assert found.access_key == aws.requests[0].gave
    assert found.expiration == clock.at(3600)
    assert found.account_id == "123456789012"


def test_they_are_refreshed_by_the_same_rules(provider, clock, aws, logs):
    first = provider()
    clock.advance(3600 - 301)
    assert provider() == first
    clock.advance(2)
    assert provider() != first
    assert len(aws.requests) == 2
    assert sum("Found credentials" in one for one in logs) == 1


def test_a_refresh_that_fails_keeps_them(provider, clock, aws):
    first = provider()
    aws.script("AssumeRoleWithWebIdentity", *[fakes.error("Throttling")] * 3)
    clock.advance(3600 - 200)
    assert provider() == first


def test_without_a_session(aws):
    assert FunctionProvider(function=lambda: FrozenCredentials("AKIA", "s"))().access_key == "AKIA"


def test_a_provider_that_is_not_configured():
    with pytest.raises(NotConfigured):
        from_http()()
