"""``logger``: the records of one provider go to a logger of the caller's."""

import logging
import pickle

import pytest
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import (
    ChainError,
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_cognito_identity_pool,
    from_env,
    from_http,
    from_ini,
)
from tests import fakes

from ..declared import EVERY

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


@pytest.fixture
def logger():
    found = logging.getLogger("of_the_caller")
    found.setLevel(logging.DEBUG)
    yield found
    found.setLevel(logging.NOTSET)


@pytest.fixture
def texts(caplog):
    """Return the messages that went to the logger, and those of this package."""

    def found(name):
        return [one.getMessage() for one in caplog.records if one.name.startswith(name)]

    return found


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.FACTORY)
def test_every_factory_takes_one_and_travels_with_it(kind, logger):
    provider = kind(logger=logger)
    assert provider.logger is logger
    assert pickle.loads(pickle.dumps(provider)).logger is logger
    assert kind().logger is None


def test_the_records_of_a_provider_go_there_and_nowhere_else(logger, texts, aws):
    credentials = from_cognito_identity_pool(identity_pool_id=POOL, logger=logger).load()
    credentials.get_frozen_credentials()
    aws.always("GetCredentialsForIdentity", fakes.error("InternalErrorException", status=400))
    with pytest.raises(Exception, match="InternalErrorException"):
        credentials.refresh()
    said = texts("of_the_caller")
    assert said[0] == "Found credentials via custom-cognito-identity-pool, configured in code"
    assert said[1].startswith("Fetched credentials via from_cognito_identity_pool()")
    assert said[2].startswith("Refreshing credentials via from_cognito_identity_pool() failed")
    assert len(said) == 3
    assert not texts("botocore_ext")
    from_cognito_identity_pool(identity_pool_id=POOL).load()
    assert len(texts("botocore_ext")) == 1
    assert len(texts("of_the_caller")) == 3


def test_its_own_level_decides(logger, texts, aws):
    """Whatever that of this package is."""
    logger.setLevel(logging.WARNING)
    from_cognito_identity_pool(identity_pool_id=POOL, logger=logger).load().refresh()
    assert not texts("of_the_caller")
    package = logging.getLogger("botocore_ext")
    package.setLevel(logging.ERROR)
    logger.setLevel(logging.DEBUG)
    try:
        from_cognito_identity_pool(identity_pool_id=POOL, logger=logger).load()
    finally:
        package.setLevel(logging.NOTSET)
    assert texts("of_the_caller")


@pytest.mark.caller_signs
@pytest.mark.parametrize("per_request", [False, True])
def test_records_about_rejected_requests_go_there(logger, texts, aws, per_request):
    provider = from_cognito_identity_pool(identity_pool_id=POOL, logger=logger)
    session = botocore_ext.Session(
        credentials=botocore_ext.per_request(provider) if per_request else provider
    )
    client = session.client("sts", region_name="us-east-1")
    client.get_caller_identity()
    aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
    aws.always("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
    with pytest.raises(ClientError, match="ExpiredToken"):
        client.get_caller_identity()
    said = texts("of_the_caller")
    method = "custom-per-request" if per_request else "custom-cognito-identity-pool"
    assert f"A service answered ExpiredToken to credentials of {method}" in said
    assert "New credentials could not be fetched (NotAuthorizedException)" in said
    assert not texts("botocore_ext.refresh")


def test_links_without_one_use_that_of_the_chain(logger, texts, aws, config):
    config(f"[default]\ncognito_identity_pool_id = {POOL}\n")
    own = logging.getLogger("of_the_caller.link")
    pool = from_cognito_identity_pool(identity_pool_id=POOL, logger=own)
    chain = create_credential_chain(from_env(), pool, logger=logger)
    chain.load().get_frozen_credentials()
    aws.script("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
    chain.load().refresh()
    assert "The chain uses the credentials of from_cognito_identity_pool()" in texts(
        "of_the_caller"
    )
    assert any("rejects the cached identity" in one for one in texts("of_the_caller.link"))
    assert chain.expire_after(900).logger is logger
    assert not texts("botocore_ext")


def test_an_unselected_provider_says_so_there(logger, texts):
    assert from_env(logger=logger).load() is None
    assert texts("of_the_caller") == ["Not configured: env"]
    with pytest.raises(ChainError):
        create_credential_chain(from_env(), logger=logger).load().get_frozen_credentials()
    assert not texts("botocore_ext")


def test_an_endpoint_that_fails_hides_its_secrets_there_too(logger, texts, aws):
    """The fixture ``logs`` searches every logger for every secret."""
    token = fakes.secret("authorization")
    provider = from_http(
        aws_container_credentials_full_uri=aws.url,
        aws_container_authorization_token=token,
        max_retries=1,
        logger=logger,
    )
    aws.script("GET", fakes.Answer(status=500), fakes.Answer(fakes.secret().encode(), status=403))
    with pytest.raises(FetchError):
        provider.load().get_frozen_credentials()
    assert texts("of_the_caller")
    assert not [one for one in texts("of_the_caller") if token in one]


def test_extend_and_profiles_of_code_use_it(logger, texts, aws, config):
    config(f"[profile p]\ncognito_identity_pool_id = {POOL}\n")
    session = botocore_ext.Session(credentials=from_ini(profile="p", logger=logger))
    session.get_credentials().get_frozen_credentials()
    assert any(one.startswith("Fetched credentials via") for one in texts("of_the_caller"))
    assert not texts("botocore_ext.providers")


def test_other_objects_than_loggers_are_refused():
    for value, text in [
        ("app", "must be a logging.Logger, not str"),
        (type(logging.getLogger("app"))("app"), r"must be a logger of logging.getLogger\(\)"),
        (
            logging.LoggerAdapter(logging.getLogger("app"), {}),
            "must be a logging.Logger, not LoggerAdapter",
        ),
    ]:
        with pytest.raises(ConfigurationError, match=f"logger passed to from_env.. {text}"):
            from_env(logger=value)
    assert from_env(logger=logging.getLogger()).bind(Scope()).logger is logging.getLogger()
