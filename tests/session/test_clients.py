"""Clients of one session with credentials of their own."""

from functools import cached_property
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import NoAuthTokenError

import botocore_ext
from botocore_ext import FrozenCredentials, NotConfigured, Session, explain, from_web_token
from tests import fakes
from tests.refresh.test_express import signed_with

pytestmark = pytest.mark.caller_signs


def user(access_key, *, method=None):
    """Return static credentials."""
    if method is not None:
        return Credentials(access_key, "secret", method=method)
    return FrozenCredentials(access_key, "secret")


def signers(aws):
    """Return the access keys of all signed requests, in order."""
    return [signed_with(one) for one in aws.requests if "Authorization" in one.headers]


@pytest.fixture
def session(aws):
    return Session("AKIASESSION", "s", region_name="eu-west-1")


@pytest.fixture
def plain(aws):
    return boto3.Session("AKIASESSION", "s", region_name="eu-west-1")


def test_each_client_signs_as_its_own(aws, session):
    clients = [session.client("sts", credentials=user(name)) for name in ("AKIA1", "AKIA2")]
    for client in (*clients, session.client("sts"), *clients):
        client.get_caller_identity()
    assert signers(aws) == ["AKIA1", "AKIA2", "AKIASESSION", "AKIA1", "AKIA2"]


def test_a_session_that_is_not_ours(aws, plain):
    client = botocore_ext.client(plain, "sts", credentials=user("AKIA1"))
    client.get_caller_identity()
    plain.client("sts").get_caller_identity()
    assert signers(aws) == ["AKIA1", "AKIASESSION"]


def test_a_session_of_botocore(aws):
    session = botocore.session.Session()
    client = botocore_ext.client(session, "sts", "eu-west-1", credentials=user("AKIA1"))
    client.get_caller_identity()
    assert signers(aws) == ["AKIA1"]
    assert session.get_credentials() is None


@pytest.mark.parametrize(
    "source",
    [
        user("AKIA1"),
        user("AKIA1", method="custom"),
        lambda: user("AKIA1"),
        botocore_ext.create_credential_chain(lambda: None, user("AKIA1")),
    ],
    ids=["frozen", "botocore", "function", "chain"],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda session, source: session.client("sts", credentials=source),
        lambda session, source: session.using(source).client("sts"),
        lambda _, source: Session(credentials=source, region_name="eu-west-1").client("sts"),
    ],
    ids=["client", "using", "session"],
)
def test_what_is_accepted(aws, session, make, source):
    make(session, source).get_caller_identity()
    assert signers(aws) == ["AKIA1"]


def test_a_resource(aws, session, plain):
    for found in (
        session.resource("s3", credentials=user("AKIA1")),
        botocore_ext.resource(plain, "s3", credentials=user("AKIA2")),
        session.resource("s3"),
    ):
        found.Object("bucket", "key").put(Body=b"")
    assert signers(aws) == ["AKIA1", "AKIA2", "AKIASESSION"]


def test_the_waiter_of_a_resource(aws, session):
    aws.always("POST", fakes.Answer(b'{"Table": {"TableStatus": "ACTIVE"}}'))
    session.resource("dynamodb", credentials=user("AKIA1")).Table("t").wait_until_exists()
    assert signers(aws) == ["AKIA1"]


def test_handlers_and_settings_of_the_session_are_shared(aws, config):
    config("[profile a]\nregion = eu-north-1\n")
    session = Session(profile_name="a")
    session._session.set_default_client_config(Config(user_agent_extra="of-the-session"))
    called = []
    session.events.register("before-call.sts", lambda **_: called.append(1))
    for name in ("AKIA1", "AKIA2"):
        client = session.client("sts", credentials=user(name))
        assert client.meta.region_name == "eu-north-1"
        client.get_caller_identity()
    assert called == [1, 1]
    assert all("of-the-session" in one.headers["User-Agent"] for one in aws.requests)
    assert issubclass(client.exceptions.ClientError, Exception)


def test_a_handler_of_one_is_not_one_of_the_other(session):
    new = session.using(user("AKIA1"))
    called = []
    new.events.register("before-call.sts", lambda **_: called.append(1))
    session.client("sts").get_caller_identity()
    assert called == []
    new.client("sts").get_caller_identity()
    assert called == [1]


def test_using_makes_no_second_boto3_session(session):
    class Own(Session):
        def __init__(self):
            super().__init__(region_name="eu-west-1")
            self.created = [1]
            self.names = {"a": SimpleNamespace(meta=1)}

    own = Own()
    found = own.using(user("AKIA1"))
    assert type(found) is Own
    assert found.created is own.created
    assert found.names == own.names
    paths = session._loader.search_paths.copy()
    session.using(user("AKIA1")).using(user("AKIA2"))
    assert session._loader.search_paths == paths


def test_using_twice(aws, session):
    session.using(user("AKIA1")).using(user("AKIA2")).client("sts").get_caller_identity()
    assert signers(aws) == ["AKIA2"]


def test_a_rejected_request_is_sent_again_by_its_own_client(aws, session):
    """The second client copies the handlers that the first has registered."""
    expired = fakes.error("ExpiredToken")
    providers = [
        from_web_token(
            role_arn=f"arn:aws:iam::123456789012:role/{name}", web_identity_token="t0ken"
        )
        for name in "AB"
    ]
    own = Session(credentials=providers[0], region_name="eu-west-1")
    own.client("sts").get_caller_identity()
    clients = [own.client("sts", credentials=one) for one in providers]
    for client in clients:
        aws.requests.clear()
        aws.script("GetCallerIdentity", None, expired)
        client.get_caller_identity()
        client.get_caller_identity()
        names = ["AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetCallerIdentity"]
        assert aws.operations() == [*names, *names[:2]]
        gave = [one.gave for one in aws.requests]
        assert signers(aws) == [gave[0], gave[0], gave[3]]
        roles = {
            one.parameters["RoleArn"][-1]
            for one in aws.requests
            if one.gave and "RoleArn" in one.parameters
        }
        assert len(roles) == 1


@pytest.mark.parametrize("name", ["client", "resource"])
def test_explicit_keys_are_refused(session, plain, name):
    given = {"credentials": user("AKIA1")}
    for call in (
        getattr(session, name),
        lambda *a, **k: getattr(botocore_ext, name)(plain, *a, **k),
    ):
        with pytest.raises(TypeError, match="exclude each other"):
            call("s3", aws_access_key_id="AKIA2", aws_secret_access_key="s", **given)
        with pytest.raises(TypeError, match="exclude each other"):
            call("s3", None, None, True, None, None, "AKIA2", "s", **given)  # noqa: FBT003 - by position, which boto3 allows
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            call("s3", regoin_name="eu-west-1", **given)


@pytest.mark.parametrize("name", ["client", "resource"])
def test_none_is_refused(session, plain, name):
    """A table that has no provider for a user must not give the session's credentials."""
    for call in (
        getattr(session, name),
        lambda *a, **k: getattr(botocore_ext, name)(plain, *a, **k),
    ):
        with pytest.raises(TypeError, match="NoneType is not a credential provider"):
            call("s3", credentials=None)


def caching(cache_of):
    """Return a session of a class that caches its clients in the dict that ``cache_of`` returns."""

    class Caching(boto3.Session):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.clients = {}

        def client(self, service, *args, color=None, **kwargs):
            cache = cache_of(self)
            if service not in cache:
                cache[service] = super().client(service, *args, **kwargs)
            return cache[service]

    return Caching("AKIASESSION", "s", region_name="eu-west-1")


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_session_class_that_caches_clients(aws, is_filled):
    """No client of one identity gets into the cache of another, whichever comes first."""
    session = caching(lambda session: session.clients)
    if is_filled:
        session.client("sts")
    for client in (
        botocore_ext.client(session, "sts", credentials=user("AKIA1"), color="red"),
        session.client("sts"),
        botocore_ext.client(session, "sts", credentials=user("AKIA2")),
        Session.using(session, user("AKIA3")).client("sts"),
        session.client("sts"),
    ):
        client.get_caller_identity()
    assert signers(aws) == ["AKIA1", "AKIASESSION", "AKIA2", "AKIA3", "AKIASESSION"]


def test_a_client_that_a_session_class_keeps(aws):
    class Keeping(boto3.Session):
        sts = cached_property(lambda self: self.client("sts"))

    session = Keeping("AKIASESSION", "s", region_name="eu-west-1")
    for one in (session, Session.using(session, user("AKIA1")), session):
        one.sts.get_caller_identity()
    assert signers(aws) == ["AKIASESSION", "AKIA1", "AKIASESSION"]


@pytest.mark.parametrize("name", ["client", "resource"])
def test_a_cache_of_clients_that_is_not_seen_is_refused(aws, name):
    """Its client signs as another identity."""
    cache = {}
    session, call = caching(lambda _: cache), getattr(botocore_ext, name)
    call(session, "sqs", credentials=user("AKIA1"))
    with pytest.raises(TypeError, match="Caching returned a client that it had created before"):
        call(session, "sqs", credentials=user("AKIA2"))


def sandboxed(where):
    """Return a session that sends everything to a sandbox, by its class or by itself."""

    class Sandboxed(botocore.session.Session):
        def create_client(self, *args, **kwargs):
            return super().create_client(*args, **{**kwargs, "endpoint_url": "http://127.0.0.1:9"})

    if where == "class":
        return Sandboxed()
    session = botocore.session.Session()
    session.create_client = Sandboxed().create_client
    return session


@pytest.mark.parametrize("where", ["class", "session"])
def test_a_create_client_of_the_caller_is_not_passed_over(where):
    """Its requests would go to real AWS."""
    remedy = r"Session\(credentials=..., botocore_session=...\)"
    for session in (sandboxed(where), boto3.Session(botocore_session=sandboxed(where))):
        for call in (
            lambda session=session: botocore_ext.client(session, "sts", credentials=user("A")),
            lambda session=session: Session.using(session, user("A")),
        ):
            with pytest.raises(TypeError, match=remedy):
                call()
    session = Session(credentials=user("A"), botocore_session=sandboxed(where))
    client = session.client("sts", "eu-west-1")
    assert client.meta.endpoint_url == "http://127.0.0.1:9"


def test_what_is_not_a_session_is_refused():
    with pytest.raises(TypeError, match=r"client\(\) takes a boto3 or botocore session, not str"):
        botocore_ext.client("s3", "s3", credentials=user("AKIA1"))
    with pytest.raises(TypeError, match=r"resource\(\) takes a boto3 session, not Session"):
        botocore_ext.resource(botocore.session.Session(), "s3", credentials=user("AKIA1"))


def test_a_provider_without_credentials_is_not_replaced(session):
    with pytest.raises(NotConfigured, match="it has none here"):
        session.client("sts", credentials=lambda: None)


@pytest.mark.parametrize("make", ["client", "session"])
def test_a_bearer_token_of_the_environment_is_not_used(session, aws, monkeypatch, make):
    """It is what botocore prefers to the credentials of the client."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token := fakes.secret("bearer-token"))
    if make == "session":
        session = Session(credentials=user("AKIA1"), region_name="eu-west-1")
    given = {"credentials": user("AKIA1")} if make == "client" else {}
    with pytest.raises(NoAuthTokenError):
        session.client("bedrock-runtime", **given).invoke_model(modelId="m", body=b"{}")
    config = Config(signature_version="v4")
    aws.always("POST", fakes.Answer(b"{}"))
    session.client("bedrock-runtime", config=config, **given).invoke_model(modelId="m", body=b"{}")
    assert [signed_with(one) for one in aws.requests] == ["AKIA1"]
    assert token not in str(aws.requests)


def test_explain_of_a_session_that_uses_a_provider(session):
    found = explain(session.using(user("AKIA1")))
    assert found.found.provider == "custom-function"
    assert found.found.access_key.endswith("KIA1")
