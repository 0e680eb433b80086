"""What ``explain`` says of sessions and clients that sign as another identity at each request."""

import boto3
import pytest

from botocore_ext import FrozenCredentials, Session, explain, per_request, use_credentials
from botocore_ext.explanation.report import Outcome

A, B = FrozenCredentials("AKIAAAAA", "secret"), FrozenCredentials("AKIABBBB", "secret")


@pytest.fixture
def session():
    return Session(credentials=per_request(), region_name="eu-west-1")


@pytest.mark.parametrize("is_used", [False, True])
def test_who_is_in_force(session, is_used):
    if is_used:
        session.client("sts")
    with use_credentials(A):
        found = explain(session)
    assert found.found.access_key.endswith("AAAA")
    assert found.notes[0] == (
        "each request is signed as the identity that is in force when the call is made: here "
        "FrozenCredentials (in force now)"
    )
    assert "already has credentials" not in str(found)


def test_no_identity_is_in_force(session):
    found = explain(session)
    assert found.found is None
    assert [(one.provider, one.outcome) for one in found.steps] == [
        ("custom-per-request", Outcome.FAILED)
    ]
    assert "no identity is in force: use_credentials() puts one in force" in str(found)


def test_the_default_is_named():
    session = Session(credentials=per_request(B), region_name="eu-west-1")
    assert "FrozenCredentials (the default, as none is in force)" in explain(session).notes[0]
    with use_credentials(lambda: A):
        assert "test_the_default_is_named.<locals>.<lambda> (in force" in explain(session).notes[0]


def test_a_client(session):
    for client in (session.client("sts"), Session().client("sts", "eu-west-1", credentials=A)):
        with use_credentials(A):
            assert explain(client).found.access_key.endswith("AAAA")


def test_a_client_of_a_profile(config, aws):
    config(
        "[profile a]\ncognito_identity_pool_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030\n"
    )
    client = Session(profile_name="a").client("sts", "eu-west-1")
    assert explain(client).found.provider == "custom-cognito-identity-pool"


def test_a_client_of_others():
    client = boto3.Session("AKIA", "s", region_name="eu-west-1").client("sts")
    with pytest.raises(TypeError, match="pass the session of the client"):
        explain(client)
