"""Credentials in every spelling that services use."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from botocore_ext import FrozenCredentials

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "mapping",
    [
        {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "AccountId": "1"},
        {"AccessKeyId": "A", "SecretKey": "s", "Token": "t", "AccountId": "1"},
        {"access_key": "A", "secret_key": "s", "token": "t", "account_id": "1"},
        {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t", "accountId": "1"},
    ],
)
def test_every_spelling(mapping):
    assert FrozenCredentials.from_mapping(mapping) == FrozenCredentials("A", "s", "t", None, "1")


@pytest.mark.parametrize(
    "expiration", [MOMENT, MOMENT.replace(tzinfo=None), MOMENT.isoformat(), MOMENT.timestamp()]
)
def test_expirations_of_every_kind(expiration):
    mapping = {"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": expiration}
    assert FrozenCredentials.from_mapping(mapping).expiration == MOMENT


@pytest.mark.parametrize(
    "expiration", ["tomorrow", "10", "2030-01-02", "2030-13-02T03:04:05Z", 1e30, [], float("nan")]
)
def test_a_malformed_time_is_an_error(expiration):
    mapping = {"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": expiration}
    with pytest.raises(ValueError, match="^Expiration is not a"):
        FrozenCredentials.from_mapping(mapping)


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({}, "AccessKeyId is missing"),
        ({"AccessKeyId": "A"}, "SecretAccessKey is missing"),
        ({"AccessKeyId": "", "SecretAccessKey": "s"}, "AccessKeyId is missing"),
        ({"AccessKeyId": None, "SecretAccessKey": "s"}, "AccessKeyId is missing"),
        ({"AccessKeyId": 1, "SecretAccessKey": "s"}, "AccessKeyId is not a string"),
        ({"AccessKeyId": "A", "SecretAccessKey": "s", "Token": {}}, "SessionToken is not a string"),
    ],
)
def test_missing_and_malformed_fields_are_named(mapping, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        FrozenCredentials.from_mapping(mapping)


def test_credentials_of_botocore():
    assert FrozenCredentials.of(Credentials("A", "s", "t", account_id="1")) == FrozenCredentials(
        "A", "s", "t", None, "1"
    )
    moment = MOMENT + timedelta(hours=1)
    refreshable = RefreshableCredentials("A", "s", "t", moment, dict, "m")
    assert FrozenCredentials.of(refreshable) == FrozenCredentials("A", "s", "t", moment)


def test_secrets_are_not_shown():
    assert repr(FrozenCredentials("A", "hidden", "hidden-too")) == (
        "FrozenCredentials(access_key='A', expiration=None, account_id=None, identity_id=None)"
    )


def test_features_do_not_affect_equality():
    """An inner client that signs with them is not created again for that."""
    assert FrozenCredentials("A", "s").with_features(["BY_A_WAY"]) == FrozenCredentials("A", "s")


@pytest.mark.parametrize("given", [(1, "s"), ("A", 1)])
def test_field_that_is_not_text_is_refused(given):
    with pytest.raises(ValueError, match="is not a string"):
        FrozenCredentials(*given)


@pytest.mark.parametrize("text", ["2030-01-02T03:04:05Z and more", "x2030-01-02T03:04:05Z"])
def test_an_expiration_is_a_time_and_nothing_else(text):
    with pytest.raises(ValueError, match="Expiration is not an RFC 3339 time"):
        FrozenCredentials("A", "s", None, text)


def test_a_spelling_that_holds_nothing_does_not_hide_another():
    mapping = {"AccessKeyId": None, "access_key": "A", "SecretAccessKey": "s"}
    assert FrozenCredentials.from_mapping(mapping).access_key == "A"


def test_expiration_without_a_time_zone_is_in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert FrozenCredentials("A", "s", None, MOMENT.replace(tzinfo=None)).expiration == MOMENT
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
