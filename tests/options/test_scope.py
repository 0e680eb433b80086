"""Regions of inner clients, and how inner clients are made and called."""

import gc
import os
import threading
import weakref

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError

from botocore_ext import (
    FetchError,
    FrozenCredentials,
    Scope,
    from_cognito_identity_pool,
    from_web_token,
)
from botocore_ext.aws.clients import call
from botocore_ext.options import scope
from botocore_ext.options.scope import ProfileScope
from botocore_ext.runtime.deadline import (
    pause_budget,
    run_with_budget,
    seconds_left,
    share_of_budget,
    within_budget,
)
from tests import fakes


@pytest.fixture
def profile(config):
    config("[profile p]\nregion = profile-1\n")
    return botocore.session.Session(profile="p")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"client_config", "config", "id", "profile", "outer", "env", "default"}, "client-1"),
        ({"config", "id", "profile", "outer", "env", "default"}, "config-1"),
        ({"id", "profile", "outer", "env", "default"}, "id-1"),
        ({"profile", "outer", "env", "default"}, "profile-1"),
        ({"outer", "env", "default"}, "outer-1"),
        ({"env", "default"}, "env-1"),
        ({"default"}, "default-1"),
        (set(), "profile-1"),  # the session has it from its own profile
    ],
)
def test_the_first_region_in_order_is_used(profile, given, expected):
    scope = ProfileScope(
        profile,
        profile="p" if "profile" in given else None,
        outer_region="outer-1" if "outer" in given else None,
        environ={
            name: value
            for key, name, value in (
                ("env", "AWS_REGION", "env-1"),
                ("default", "AWS_DEFAULT_REGION", "default-1"),
            )
            if key in given
        },
    )
    client_config = {}
    if "client_config" in given:
        client_config["region_name"] = "client-1"
    if "config" in given:
        client_config["config"] = Config(region_name="config-1")
    assert scope.region(client_config, "id-1" if "id" in given else None) == expected


def test_where_nothing_names_a_region():
    assert Scope().region(None) == "us-east-1"
    assert Scope().named_region(None) is None


def test_without_a_session_the_active_profile_has_the_region(config, monkeypatch):
    config("[profile china]\nregion = cn-north-1\n")
    monkeypatch.setenv("AWS_PROFILE", "china")
    assert Scope().region(None) == "cn-north-1"


def test_cognito_goes_to_the_region_of_its_id(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    provider = from_cognito_identity_pool(identity_pool_id="eu-west-1:pool")
    client = provider._client("eu-west-1:pool")
    assert client.meta.endpoint_url == "https://cognito-identity.eu-west-1.amazonaws.com"


def test_inner_clients_are_unsigned_and_created_once():
    scope = Scope(outer_region="eu-west-1")
    client = scope.client("sts", None)
    assert client is scope.client("sts", {})
    assert client is not scope.client("sts", {"region_name": "eu-west-1"})
    config = client.meta.config
    assert config.signature_version is UNSIGNED
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert client.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


def test_creating_a_client_may_need_another_one(aws):
    """By a handler of the session that its client is made with; a signal may come then, too."""
    session, found = botocore.session.Session(), []
    role, token = "arn:aws:iam::123456789012:role/Web", fakes.secret("token")
    other = from_web_token(role_arn=role, web_identity_token=token).load()
    session.register("creating-client-class", lambda **_: found.append(other.access_key))
    work = threading.Thread(
        target=lambda: found.append(Scope(session).client("sts", None)), daemon=True
    )
    work.start()
    work.join(30)
    assert len(found) == 2


def test_client_config_decides():
    given = {
        "endpoint_url": "http://127.0.0.1:9",
        "config": Config(read_timeout=60, retries={"max_attempts": 1}, signature_version="v4"),
    }
    config = Scope().client("sts", given).meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 60)
    assert config.retries["total_max_attempts"] == 2
    assert config.signature_version is UNSIGNED


def test_explicit_credentials_sign():
    given = {"aws_access_key_id": "A", "aws_secret_access_key": fakes.secret()}
    assert Scope().client("sts", given).meta.config.signature_version != UNSIGNED


@pytest.mark.parametrize("where", ["environment", "profile", "default config"])
def test_the_retries_of_the_session_are_honoured(monkeypatch, config, where):
    session = botocore.session.Session()
    if where == "environment":
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    elif where == "profile":
        config("[default]\nmax_attempts = 7\n")
    else:
        session.set_default_client_config(Config(retries={"total_max_attempts": 7}))
    retries = Scope(session).client("sts", None).meta.config.retries
    assert retries["total_max_attempts"] == 7


def test_endpoint_fips_and_proxy_of_the_session_apply(config, monkeypatch):
    session = botocore.session.Session()
    session.set_default_client_config(Config(proxies={"https": "http://127.0.0.1:9"}))
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    client = Scope(session, outer_region="us-west-2").client("sts", None)
    assert client.meta.config.proxies == {"https": "http://127.0.0.1:9"}
    assert client.meta.endpoint_url == "https://sts-fips.us-west-2.amazonaws.com"
    config("[default]\nendpoint_url = http://127.0.0.1:5\n")
    client = Scope(botocore.session.Session()).client("sts", None)
    assert client.meta.endpoint_url == "http://127.0.0.1:5"


def test_providers_without_a_session_share_one_private_session():
    assert Scope().session is Scope().session
    mine = botocore.session.Session()
    assert Scope(mine).session is mine


def test_a_request_that_could_outlast_the_budget_is_refused(aws, clock):
    provider = from_cognito_identity_pool(identity_pool_id="us-east-1:pool").bind(
        Scope(clock=clock)
    )

    aws.now = clock.now

    def slow(request):
        clock.advance(19)
        return aws.cognito(request)

    aws.script("GetId", slow)
    late = r"from_cognito_identity_pool\(\): 127.0.0.1:\d+ did not answer within the 25 seconds"
    with pytest.raises(FetchError, match=late):
        provider.load().get_frozen_credentials()
    assert aws.operations() == ["GetId"]
    assert provider.load().access_key
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]


def test_a_retry_that_could_outlast_the_budget_is_refused(aws, clock):
    """The longer the timeouts that were configured, the earlier."""

    def slow(_):
        clock.advance(16)
        return fakes.Answer(status=500)

    aws.script("AssumeRoleWithWebIdentity", slow)
    provider = from_web_token(
        role_arn="arn:aws:iam::123456789012:role/Web",
        web_identity_token=fakes.secret("token"),
        client_config={"config": Config(read_timeout=20)},
    ).bind(Scope(clock=clock))
    with pytest.raises(FetchError, match="did not answer within the 25 seconds"):
        provider.load().get_frozen_credentials()
    assert len(aws.requests) == 1


def test_a_binding_has_a_client_for_each_region_that_ids_name():
    here = Scope()
    regions = ["eu-west-1", "us-west-2", "eu-west-1"]
    clients = [here.client("cognito-identity", None, region) for region in regions]
    assert [one.meta.region_name for one in clients] == regions
    assert clients[0] is clients[2]


def test_each_call_has_the_rest_of_the_budget(clock):
    def fetch():
        clock.advance(100)
        assert round(within_budget("host", seconds_left)) == 25
        share_of_budget()
        clock.advance(24)
        assert round(within_budget("host", seconds_left)) == 1
        clock.advance(1)
        with pytest.raises(FetchError, match="host did not answer within the 25 seconds"):
            within_budget("host", seconds_left)

    run_with_budget(clock.monotonic, fetch)


def test_share_of_budget_is_the_time_left(clock):
    def inner_fetch():
        assert share_of_budget() == 25
        clock.advance(20)
        assert share_of_budget() == 5

    def fetch():
        clock.advance(100)
        assert share_of_budget() == 25  # what came before the first request does not count
        clock.advance(10)
        assert share_of_budget() == 15
        pause_budget(lambda: clock.advance(100))
        assert share_of_budget() == 15
        run_with_budget(clock.monotonic, inner_fetch)
        assert share_of_budget() == 15
        clock.advance(30)
        assert share_of_budget() == -15

    run_with_budget(clock.monotonic, fetch)
    assert share_of_budget() == 25


def test_outside_a_fetch_there_is_no_budget(aws, clock):
    client = Scope().client("sts", None)
    run_with_budget(clock.monotonic, int)
    parameters = {"RoleArn": "arn:aws:iam::123456789012:role/A", "RoleSessionName": "me"}
    assert call(client, "assume_role_with_web_identity", parameters | {"WebIdentityToken": "four"})


def test_an_outage_of_the_network_is_botocores_own_error(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    provider = from_web_token(
        role_arn="arn:aws:iam::123456789012:role/Web",
        web_identity_token=fakes.secret("token"),
        client_config={"config": Config(retries={"total_max_attempts": 1})},
    )
    with pytest.raises(Exception, match="Could not connect to the endpoint URL") as raised:
        provider.fetch()
    assert not isinstance(raised.value, ConnectTimeoutError)


class TestCommonClients:
    """Providers without a session have one client; nothing of an identity is in it."""

    def test_they_share_it(self):
        assert Scope().client("sts", None) is Scope().client("sts", None)
        assert Scope().client("sts", None) is not Scope().client("cognito-identity", None)

    def test_each_region_and_each_client_config_has_its_own(self):
        scopes = [Scope() for _ in range(4)]
        given = {"config": Config(read_timeout=1)}
        clients = [
            scopes[0].client("sts", None),
            scopes[1].client("sts", {"region_name": "eu-west-2"}),
            scopes[2].client("sts", given),
            scopes[3].client("sts", dict(given)),
        ]
        assert len({id(one) for one in clients}) == 4
        assert Scope().client("sts", given) is clients[2]

    def test_another_environment_makes_another(self, monkeypatch):
        before = Scope()
        client = before.client("sts", None)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        assert Scope().client("sts", None).meta.endpoint_url == "http://127.0.0.1:9"
        assert before.client("sts", None) is client

    def test_another_environment_has_another_client(self):
        environ = dict(scope.system_environment())
        one, other = (Scope(environ=environ).client("sts", None) for _ in range(2))
        assert one is not other

    def test_a_session_of_the_callers_does_not_take_part(self):
        session = botocore.session.Session()
        one, other = (Scope(session, outer_region="us-east-1").client("sts", None) for _ in "ab")
        assert one is not other
        assert Scope().client("sts", None) not in (one, other)

    def test_one_client_is_created_at_a_time(self):
        """Another thread waits while botocore calls this one during the creation."""
        session, waited = botocore.session.Session(), []

        def meanwhile(**_):
            if threading.current_thread() is threading.main_thread():
                other.start()
                other.join(0.3)
                waited.append(other.is_alive())

        session.register("creating-client-class.sts", meanwhile)
        scope = Scope(session, outer_region="eu-west-1")
        other = threading.Thread(target=scope.client, args=("sts", {}))
        scope.client("sts", None)
        other.join(10)
        assert waited == [True]

    def test_the_id_of_a_client_config_stays_its_own(self):
        """Another mapping with the same id would get the client of this one."""

        class Given(dict):
            pass

        here = Scope()
        given = Given(config=Config(read_timeout=1))
        here.client("sts", given)
        alive = weakref.ref(given)
        del given
        gc.collect()
        assert alive() is not None

    def test_client_never_has_the_credentials_of_another_thread(self):
        """Another thread may put its own in the place at any time."""
        here, keys = Scope(), FrozenCredentials("AKIAMINE", "s")

        class Taken(dict):
            def __setitem__(self, cache_key, _):
                super().__setitem__(cache_key, theirs)

        here.client("sts", None, credentials=FrozenCredentials("AKIATHEIRS", "s"))
        (theirs,) = here._clients._cached.get().values()
        here._clients._cached._values = {os.getpid(): Taken()}
        signer = here.client("sts", None, credentials=keys)._request_signer
        assert signer._credentials.access_key == "AKIAMINE"

    def test_a_shared_client_is_not_kept_alive(self):
        found = weakref.ref(Scope().client("sts", None))
        assert fakes.is_collected(lambda: found() is None)

    def test_many_identities_share_a_few_sockets(self, aws):
        role = "arn:aws:iam::123456789012:role/Web"
        found = [
            from_web_token(role_arn=role, web_identity_token=fakes.secret("token")).load()
            for _ in range(20)
        ]
        keys = [one.get_frozen_credentials() for one in found]
        sent = [one.parameters["WebIdentityToken"] for one in aws.requests]
        gave = {one.gave: one.parameters["WebIdentityToken"] for one in aws.requests}
        assert len(set(sent)) == 20
        assert [gave[one.access_key] for one in keys] == sent
        assert aws.connections == 1
