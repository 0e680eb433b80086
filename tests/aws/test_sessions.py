"""Inner clients are made with a session like the caller's, which is left as it is."""

import botocore
import botocore.session
import pytest
from botocore.config import Config

from botocore_ext import Scope, from_web_token
from botocore_ext.aws.sessions import session_like
from tests import fakes

WEB = """
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://TOKEN
region = eu-west-1
"""


@pytest.fixture
def session(config, monkeypatch):
    config(WEB)
    monkeypatch.setenv("TOKEN", "a-web-token")
    monkeypatch.setenv("AWS_PROFILE", "web")
    return botocore.session.Session()


def provider_in(session):
    given = {"role_arn": "arn:aws:iam::123456789012:role/Web", "web_identity_token": "a-web-token"}
    return from_web_token(**given).bind(Scope(session, outer_region="eu-west-1"))


def test_handlers_of_the_session_see_inner_clients(session, aws):
    seen = []
    session.register("creating-client-class.sts", lambda **_: seen.append("class"))
    session.register("before-send.sts", lambda **_: seen.append("send"))
    provider_in(session).fetch()
    assert seen == ["class", "send"]


def test_a_client_of_the_session_has_the_class_of_the_error(session, aws):
    """As for any other call that is made with the session."""
    aws.script("AssumeRoleWithWebIdentity", fakes.error("IDPRejectedClaim"))
    signing = {"aws_access_key_id": "A", "aws_secret_access_key": "s"}
    client = session.create_client("sts", region_name="eu-west-1", **signing)
    with pytest.raises(client.exceptions.IDPRejectedClaimException):
        provider_in(session).fetch()


def test_making_an_inner_client_leaves_the_session_as_it_was(session, aws):
    before = dict(vars(session))
    session.get_component("data_loader")
    provider_in(session).fetch()
    after = vars(session)
    loaded = {"_config", "_profile_map"}  # what the files say, once
    assert {name for name in after if after[name] is not before.get(name)} <= loaded


def fetched_with(initializer):
    """Return a session that another library initialized, after a fetch."""
    botocore.register_initializer(initializer)
    try:
        theirs = botocore.session.Session(profile="web")
        provider_in(theirs).fetch()
    finally:
        botocore.unregister_initializer(initializer)
    return theirs


def test_third_party_initializers_do_not_register_twice(session, aws):
    seen = []

    def initializer(one):
        one.register("before-send.sts", lambda **_: seen.append(one))

    assert seen == [fetched_with(initializer)]


def test_third_party_initializers_have_a_config_store(session, aws):
    """As for any new session; the settings of the original session stay unchanged."""

    def initializer(one):
        one.get_component("config_store").set_config_variable("region", f"{type(one).__name__}-1")

    assert fetched_with(initializer).get_config_variable("region") == "Session-1"


def test_session_with_its_own_create_client_is_used(config, aws):
    config(WEB)
    made = []

    class Mine(botocore.session.Session):
        def create_client(self, *names, **given):
            made.append(names)
            return super().create_client(*names, **given)

    provider_in(Mine(profile="web")).fetch()
    assert made == [("sts",)]


def test_settings_hold_as_they_are_now(session):
    like = session_like(session)
    session.set_config_variable("region", "eu-north-1")
    session.set_default_client_config(Config(retries={"mode": "adaptive"}))
    assert like.get_config_variable("region") == "eu-north-1"
    assert like.instance_variables() == session.instance_variables()
    assert like.get_scoped_config() == session.get_scoped_config()
    assert like.full_config is session.full_config
    assert like.get_default_client_config() is session.get_default_client_config()
    for name in ("config_store", "data_loader"):
        assert like.get_component(name) is session.get_component(name)


def test_reread_session_has_the_changed_settings(session, config):
    session.set_config_variable("region", "eu-north-1")
    session.set_default_client_config(Config(retries={"mode": "adaptive"}))
    session.user_agent_extra = "mine/1"
    assert "other" not in session.full_config["profiles"]
    config("[profile other]\nregion = eu-south-1\n")
    like = session_like(session, reread={"profile": "other"})
    assert like.get_scoped_config() == {"region": "eu-south-1"}
    assert like.get_config_variable("region") == "eu-north-1"
    assert like.get_default_client_config() is session.get_default_client_config()
    assert "mine/1" in like.user_agent()
    assert "other" not in session.full_config["profiles"]
