"""Directory buckets of S3 Express: a bucket session belongs to the credentials that created it."""

import gc
import logging
import threading
import time
from collections import Counter

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import S3ExpressIdentityCache

import botocore_ext
from botocore_ext import (
    FrozenCredentials,
    Session,
    create_credential_chain,
    from_cognito_identity_pool,
    from_web_token,
)
from botocore_ext.refresh.express import BucketSession, BucketSessions
from tests import fakes
from tests.refresh.test_refresh import together

pytestmark = pytest.mark.caller_signs

BUCKET, OTHER = "data--usw2-az1--x-s3", "more--usw2-az1--x-s3"
ROLE = "arn:aws:iam::123456789012:role/Web"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


class S3Express:
    """CreateSession and GetObject of directory buckets, as answers of a ``FakeAws``."""

    def __init__(self, aws):
        self.aws = aws
        #: Seconds that a bucket session lasts.
        self.lifetime = 300.0
        #: Answers of the next calls, in the place of success.
        self.refusals = {"CreateSession": [], "GetObject": []}
        #: Access key of a bucket session -> the access key and the bucket that it is for.
        self.created = {}
        #: Who created the bucket session that each served request was signed with.
        self.users = []
        #: How often each of them created a session.
        self.creations = Counter()
        aws.always("GET", self)

    def __call__(self, request):
        access_key = signed_with(request)
        path, _, query = request.target.partition("?")
        bucket = path.split("/")[1]
        request.operation = "CreateSession" if query == "session" else "GetObject"
        if self.refusals[request.operation]:
            refusal = self.refusals[request.operation].pop(0)
            answer = refusal(request)
            if answer is not None:
                return answer
        if request.operation == "GetObject":
            user, of_bucket = self.created[access_key]
            assert of_bucket == bucket
            self.users.append(user)
            return fakes.Answer(b"content")
        self.creations[access_key] += 1
        keys = self.aws.keys(request)
        self.created[keys["AccessKeyId"]] = access_key, bucket
        body = f"""<CreateSessionResult><Credentials>
            <AccessKeyId>{keys["AccessKeyId"]}</AccessKeyId>
            <SecretAccessKey>{keys["SecretAccessKey"]}</SecretAccessKey>
            <SessionToken>{keys["Token"]}</SessionToken>
            <Expiration>{fakes.at(self.aws.now() + self.lifetime)}</Expiration>
            </Credentials></CreateSessionResult>"""
        return fakes.Answer(body.encode())


def signed_with(request):
    text = request.headers.get("Authorization", request.target)
    return text.partition("Credential=")[2].partition("/")[0].partition("%2F")[0]


def access_key(session):
    return session.get_credentials().get_frozen_credentials().access_key


@pytest.fixture
def express(aws):
    return S3Express(aws)


@pytest.fixture
def provider():
    return from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))


@pytest.fixture
def session(express, provider):
    return Session(credentials=provider, region_name="us-west-2")


def client_of(session, **config):
    return session.client("s3", region_name="us-west-2", config=Config(**config))


def get(client, bucket=BUCKET):
    return client.get_object(Bucket=bucket, Key="key")["Body"].read()


def switching(*users):
    """A function that gives the static credentials of the user that is set."""

    def source():
        return FrozenCredentials(source.user, "secret")

    source.user = users[0]
    return source


class TestIdentity:
    """Requests continue as the identity in force."""

    def test_a_replaced_token(self, session, provider, express):
        client = client_of(session)
        get(client)
        first = access_key(session)
        provider.web_identity_token = fakes.secret("token")
        get(client)
        assert express.users == [first, access_key(session)]
        assert access_key(session) != first

    def test_replaced_logins(self, aws, express):
        name = "accounts.google.com"
        provider = from_cognito_identity_pool(
            identity_pool_id=POOL, logins={name: fakes.secret("token")}
        )
        session = Session(credentials=provider)
        client = client_of(session)
        get(client)
        first = access_key(session)
        provider.logins = {name: fakes.secret("token")}
        get(client)
        assert express.users == [first, access_key(session)]
        assert access_key(session) != first

    def test_refresh(self, session, express):
        client = client_of(session)
        get(client)
        first = access_key(session)
        session.get_credentials().refresh()
        get(client)
        assert express.users == [first, access_key(session)]
        assert access_key(session) != first

    def test_a_chain_that_changes_its_identity(self, express):
        answers = [FrozenCredentials("AKIAFIRST", "secret"), None]
        chain = create_credential_chain(
            lambda: answers.pop(0), lambda: FrozenCredentials("AKIASECOND", "s")
        )
        session = Session(credentials=chain)
        client = client_of(session)
        get(client)
        session.get_credentials().refresh()
        get(client)
        assert express.users == ["AKIAFIRST", "AKIASECOND"]

    def test_each_user_has_one_session_for_each_bucket(self, express):
        source = switching("AKIAFIRST")
        session = Session(credentials=source)
        client = client_of(session)
        for user in ("AKIAFIRST", "AKIASECOND") * 2:
            source.user = user
            session.get_credentials().refresh()
            for bucket in (BUCKET, OTHER):
                get(client, bucket)
        assert express.users == [*["AKIAFIRST"] * 2, *["AKIASECOND"] * 2] * 2
        assert express.creations == {"AKIAFIRST": 2, "AKIASECOND": 2}

    def test_another_user_while_a_session_is_created(self, express):
        """The session is that of the user who signed for it, also when the first one is back."""
        source = switching("AKIAFIRST")
        session = Session(credentials=source)
        client = client_of(session)

        def become(user):
            source.user = user
            session.get_credentials().refresh()

        def change_once(**_):
            client.meta.events.unregister("before-call.s3.CreateSession", change_once)
            become("AKIASECOND")

        client.meta.events.register("before-call.s3.CreateSession", change_once)
        get(client)
        become("AKIAFIRST")
        get(client)
        assert express.users == ["AKIASECOND", "AKIAFIRST"]

    def test_a_presigned_url(self, session, provider, express):
        client = client_of(session)
        urls = []
        for _ in range(2):
            parameters = {"Bucket": BUCKET, "Key": "key"}
            urls.append(client.generate_presigned_url("get_object", parameters))
            provider.web_identity_token = fakes.secret("token")
        keys = [url.partition("Credential=")[2].partition("%2F")[0] for url in urls]
        assert [express.created[key][0] for key in keys] == list(express.creations)
        assert list(express.creations.values()) == [1, 1]


class TestInert:
    """Other sessions keep bucket sessions as botocore does."""

    def test_a_profile_without_our_settings(self, config, express):
        config("[default]\naws_access_key_id = AKIAPLAIN\naws_secret_access_key = secret\n")
        botocore_ext.install()
        session = boto3.Session()
        client = client_of(session)
        get(client)
        session.get_credentials().access_key = "AKIAOTHER"
        get(client)
        assert express.users == ["AKIAPLAIN", "AKIAPLAIN"]

    def test_sessions_do_not_use_botocores_cache(self, express):
        """Botocore keeps a hundred for the whole process."""
        plain = client_of(boto3.Session("AKIAPLAIN", "secret"))
        get(plain)
        ours = client_of(Session(credentials=switching("AKIAFIRST")))
        for number in range(101):
            parameters = {"Bucket": f"b{number}--usw2-az1--x-s3", "Key": "key"}
            ours.generate_presigned_url("get_object", parameters)
        get(plain)
        assert express.creations["AKIAPLAIN"] == 1

    def test_a_client_with_explicit_credentials(self, session, provider, express):
        client = session.client("s3", aws_access_key_id="AKIAOWN", aws_secret_access_key="secret")
        get(client)
        provider.web_identity_token = fakes.secret("token")
        get(client)
        assert (express.users, express.creations) == (["AKIAOWN"] * 2, {"AKIAOWN": 1})

    def test_a_cache_of_the_users_own(self, session, express):
        class Own:
            def get_credentials(self, bucket):
                return boto3.Session("AKIAOWN", "secret", "token").get_credentials()

        def put(request, **_):
            request.context["signing"]["identity_cache"] = Own()

        client = client_of(session)
        client.meta.events.register("before-sign.s3.GetObject", put)
        client.meta.events.register("before-sign.s3", put)
        express.created["AKIAOWN"] = "user", BUCKET
        get(client)
        assert (express.users, express.creations) == (["user"], {})

    def test_a_user_that_creates_a_session(self, session, express):
        answer = client_of(session).create_session(Bucket=BUCKET)
        assert answer["Credentials"]["AccessKeyId"] in express.created


class TestRejections:
    """What S3 answers with ExpiredToken, for a bucket session or for the credentials."""

    def test_a_rejected_bucket_session_is_created_again(self, session, express):
        client = client_of(session)
        get(client)
        express.refusals["GetObject"] = [EXPIRED]
        get(client)
        user = access_key(session)
        assert express.users == [user, user]
        assert express.creations == {user: 2}

    def test_a_service_that_rejects_every_session_costs_two(self, session, express):
        """They are too young to be replaced again, and the error is the service's."""
        client = client_of(session)
        express.refusals["GetObject"] = [EXPIRED] * 20
        for _ in range(5):
            with pytest.raises(ClientError, match="ExpiredToken"):
                get(client)
        assert express.creations == {access_key(session): 2}

    def test_rejected_credentials_are_replaced_and_request_resent(self, session, express, aws):
        express.refusals["CreateSession"] = [EXPIRED]
        client = client_of(session)
        get(client)
        get(client)
        user = access_key(session)
        assert express.users == [user, user]
        assert express.creations == {user: 1}
        assert aws.operations().count("AssumeRoleWithWebIdentity") == 2

    def test_failed_creation_raises_the_service_error(self, session, express):
        client = client_of(session)
        get(client)
        express.refusals["GetObject"] = [EXPIRED]
        express.refusals["CreateSession"] = [DENIED]
        with pytest.raises(ClientError, match=r"\(ExpiredToken\).*GetObject"):
            get(client)

    def test_another_token_meanwhile_sends_nothing_again(self, session, provider, express):
        client = client_of(session)
        get(client)

        def replaced_meanwhile(request):
            provider.web_identity_token = fakes.secret("token")
            return EXPIRED(request)

        express.refusals["GetObject"] = [replaced_meanwhile]
        with pytest.raises(ClientError, match="ExpiredToken"):
            get(client)
        assert len(express.users) == 1

    def test_a_session_that_was_replaced_meanwhile_stays(self, session, express):
        client = client_of(session)
        get(client)

        def replaced_meanwhile(request):
            express.refusals["GetObject"] = [EXPIRED]
            get(client)
            return EXPIRED(request)

        express.refusals["GetObject"] = [replaced_meanwhile]
        get(client)
        assert len(express.users) == 3
        assert express.creations == {access_key(session): 2}

    def test_of_several_that_are_rejected_one_creates_a_session(self, session, express):
        client = client_of(session, max_pool_connections=4)
        get(client)
        everybody = threading.Barrier(4)

        def rejected_together(request):
            everybody.wait(10)
            return EXPIRED(request)

        express.refusals["GetObject"] = [rejected_together] * 4
        together(4, lambda: get(client))
        assert express.creations == {access_key(session): 2}
        assert len(express.users) == 5


class TestRenewal:
    """A session is replaced in its last 45 seconds, and used until its last ten."""

    def test_a_session_that_ends_soon_is_replaced(self, session, express):
        express.lifetime = 44
        client = client_of(session)
        for _ in range(3):
            get(client)
        assert express.creations == {access_key(session): 3}

    @pytest.mark.parametrize(("lifetime", "served"), [(44, 2), (9, 1)])
    def test_a_failure_costs_nothing_while_it_lasts(self, session, express, logs, lifetime, served):
        express.lifetime = lifetime
        client = client_of(session)
        get(client)
        express.refusals["CreateSession"] = [DENIED]
        if served == 2:
            get(client)
            fact = "The session of bucket data--usw2-az1--x-s3 could not be refreshed ("
            assert len([text for text in logs if fact in text]) == 1
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                get(client)
        assert len(express.users) == served

    def test_failures_of_one_session_are_one_warning(self, session, express, logs):
        express.lifetime = 44
        client = client_of(session)
        get(client)
        express.refusals["CreateSession"] = [DENIED, DENIED]
        for _ in range(2):
            get(client)
        assert len([text for text in logs if "could not be refreshed" in text]) == 1

    def test_threads_that_need_one_at_once_create_one(self, session, express):
        client = client_of(session, max_pool_connections=8)
        access_key(session)
        express.refusals["CreateSession"] = [slowly]
        together(8, lambda: get(client))
        assert express.users == [access_key(session)] * 8
        assert express.creations == {access_key(session): 1}

    def test_session_stays_in_use_while_one_thread_replaces_it(self, session, express):
        express.lifetime = 44
        client = client_of(session)
        get(client)
        asked, go_on = threading.Event(), threading.Event()

        def wait(_):
            asked.set()
            assert go_on.wait(10)

        express.refusals["CreateSession"] = [wait]
        first = threading.Thread(target=get, args=(client,))
        first.start()
        assert asked.wait(10)
        get(client)
        assert len(express.users) == 2
        go_on.set()
        first.join()
        assert express.creations == {access_key(session): 2}

    def test_creation_that_needs_a_session_creates_another(self, session, express):
        """As a signal handler does that comes meanwhile, and reads from the same bucket."""
        client = client_of(session)

        def read_once(**_):
            client.meta.events.unregister("before-send.s3.CreateSession", read_once)
            get(client)

        client.meta.events.register("before-send.s3.CreateSession", read_once)
        get(client)
        assert express.users == [access_key(session)] * 2

    def test_what_creates_one_is_not_logged(self, session, express, caplog):
        """The answer has the secret access key of the bucket session."""
        get(client_of(session))
        assert "GetObject" in caplog.text
        assert "<CreateSessionResult>" not in caplog.text

    def test_warning_of_a_replaced_session_changes_nothing(self):
        sessions, session = BucketSessions(None), BucketSession(None, "ASIA", 1.0, 0.0)
        sessions.add("AKIA", "data", session)
        new = sessions.get("AKIA", "data")
        sessions.mark_warned("AKIA", "data", session)
        assert sessions.get("AKIA", "data") is new

    def test_a_client_keeps_a_limited_number(self):
        """Through S3 the thousand would take half a minute."""
        sessions = BucketSessions(None)
        for number in range(1002):
            sessions.add("AKIA", str(number), BucketSession(None, "ASIA", 1.0, 0.0))
        cached = [number for number in range(1002) if sessions.get("AKIA", str(number))]
        assert cached == list(range(2, 1002))

    def test_sessions_end_with_their_client(self, session, express, caplog):
        with caplog.at_level(logging.INFO):  # records hold handlers of the client
            client = client_of(session)
            get(client)
        before = caches()
        del client
        assert fakes.is_collected(lambda: caches() < before)


def caches():
    return sum(type(one) is S3ExpressIdentityCache for one in gc.get_objects())


EXPIRED = fakes.error("ExpiredToken")
DENIED = fakes.error("AccessDenied", 403)


def slowly(_):
    time.sleep(0.1)
