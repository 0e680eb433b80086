"""A service that rejects our credentials as expired: new credentials, and the request once more."""

import io
import re
import threading

import boto3
import botocore.session
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FrozenCredentials,
    Scope,
    Session,
    create_credential_chain,
    from_web_token,
)
from botocore_ext.refresh import notes, rejections
from tests import fakes
from tests.refresh.test_refresh import together

ROLE = "arn:aws:iam::123456789012:role"
#: Protocol -> a call, how its service says that credentials have expired, and that all is well.
PROTOCOLS = {
    "query": (
        ("sts", "get_caller_identity", {}),
        "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>",
        "<R><GetCallerIdentityResult/></R>",
    ),
    "json": (
        ("dynamodb", "list_tables", {}),
        '{{"__type": "com.amazon.coral.service#{}"}}',
        '{"TableNames": []}',
    ),
    "rest-xml": (
        ("s3", "list_buckets", {}),
        "<Error><Code>{}</Code></Error>",
        "<ListAllMyBucketsResult/>",
    ),
    "ec2": (
        ("ec2", "describe_regions", {}),
        "<Response><Errors><Error><Code>{}</Code></Error></Errors></Response>",
        "<DescribeRegionsResponse/>",
    ),
}


UPLOAD = "<R><UploadId>upload</UploadId></R>"


class Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()


class Wire:
    """Answers on botocore's own event, and keeps what would have been sent.

    An answer is the code of an error, a body, a status, or None for all is well.
    """

    def __init__(self, *answers, protocol="rest-xml"):
        self.answers = list(answers)
        self.protocol = protocol
        self.keys, self.bodies = [], []

    def __call__(self, request, **_):
        key = re.search(notes._ACCESS_KEY, request.headers["Authorization"].decode())[1]
        body = request.body.read() if hasattr(request.body, "read") else request.body
        self.bodies.append(body)
        self.keys.append(key)
        answer = self.answers.pop(0) if self.answers else None
        if callable(answer):
            answer = answer(key)
        _, failure, success = PROTOCOLS[self.protocol]
        status, text = 200, success
        if isinstance(answer, str) and answer.startswith("<"):
            text = answer
        elif isinstance(answer, str):
            status, text = 400, failure.format(answer)
        elif answer is not None:
            status, text = answer, ""
        return AWSResponse(request.url, status, {"ETag": "e"}, Raw(text.encode()))


class Source:
    """A function of the user's that gives other credentials each time."""

    def __init__(self):
        self.calls = 0
        self.error = None
        self.same = False

    def __call__(self):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return FrozenCredentials("AKIA1" if self.same else f"AKIA{self.calls}", "secret")


@pytest.fixture
def source():
    return Source()


def client_of(session, wire, service="s3", **arguments):
    client = session.client(service, region_name="eu-west-1", **arguments)
    client.meta.events.register_first("before-send", wire)
    return client


@pytest.fixture
def session(source):
    return Session(credentials=source)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidToken"])
@pytest.mark.parametrize("protocol", ["query", "json", "rest-xml"])
def test_rejected_request_is_resent_with_new_credentials(session, source, protocol, code, mode):
    (service, operation, parameters), _, _ = PROTOCOLS[protocol]
    wire = Wire(code, protocol=protocol)
    client = client_of(session, wire, service, config=Config(retries={"mode": mode}))
    answer = getattr(client, operation)(**parameters)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert wire.keys == ["AKIA1", "AKIA2"]
    getattr(client, operation)(**parameters)
    assert wire.keys[2:] == ["AKIA2"]
    assert source.calls == 2


def test_ec2_answers_request_expired(session, source):
    wire = Wire("RequestExpired", protocol="ec2")
    client_of(session, wire, "ec2").describe_regions()
    assert (wire.keys, source.calls) == (["AKIA1", "AKIA2"], 2)


def test_the_older_signature_of_s3_is_known_too(session, source):
    wire = Wire("ExpiredToken")
    client_of(session, wire, config=Config(signature_version="s3")).list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1", "AKIA2"], 2)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("before", [[], [503]])
def test_the_limit_of_attempts_does_not_count_it(session, mode, before):
    wire = Wire(*before, "ExpiredToken")
    retries = {"mode": mode, "total_max_attempts": 1 + len(before)}
    client_of(session, wire, config=Config(retries=retries)).list_buckets()
    assert wire.keys == [*["AKIA1"] * len(before), "AKIA1", "AKIA2"]


@pytest.mark.parametrize("code", ["AccessDenied", "RequestTimeTooSkewed", 404])
def test_other_errors_are_unchanged(session, source, code):
    wire = Wire(code)
    with pytest.raises(ClientError):
        client_of(session, wire).list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1"], 1)


def test_a_request_that_no_service_answers_is_left_alone(session, source):
    def refuse(**_):
        raise OSError("network")

    client = client_of(session, refuse)
    with pytest.raises(OSError, match="network"):
        client.list_buckets()
    assert source.calls == 1


def test_second_rejection_raises_the_service_error(session, source):
    wire = Wire("ExpiredToken", "InvalidToken", "ExpiredToken", "ExpiredToken")
    client = client_of(session, wire)
    with pytest.raises(ClientError, match=r"\(InvalidToken\)"):
        client.list_buckets()
    assert wire.keys == ["AKIA1", "AKIA2"]
    with pytest.raises(ClientError, match=r"\(ExpiredToken\)"):
        client.list_buckets()
    assert wire.keys[2:] == ["AKIA2"]
    assert source.calls == 2


@pytest.fixture
def rejected(source, clock):
    """Return a client of a service that rejects everything."""
    session = botocore.session.Session()
    provider = create_credential_chain(source).bind(Scope(session, clock=clock))
    session.get_component("credential_provider").insert_before("env", provider)
    client = session.create_client("ec2", region_name="eu-west-1")
    wire = Wire(*["RequestExpired"] * 200, protocol="ec2")
    client.meta.events.register_first("before-send", wire)
    return client


def test_a_request_is_sent_again_once(rejected, source, clock):
    """Also if the service takes so long that the new credentials could be replaced, too."""
    rejected.meta.events.register_first("before-send", lambda **_: clock.advance(10))
    with pytest.raises(ClientError, match="RequestExpired"):
        rejected.describe_regions()
    assert source.calls == 2


def test_a_service_that_rejects_everything_costs_few_fetches(rejected, source, clock):
    """As with a clock that is wrong: credentials that replaced rejected ones last five seconds."""
    fetches = []
    for _ in range(60):
        with pytest.raises(ClientError, match="RequestExpired"):
            rejected.describe_regions()
        clock.advance(1)
        fetches.append(source.calls)
    assert fetches[:12] == [2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4]
    assert fetches[-1] == 13


@pytest.mark.parametrize("error", [OSError("no"), ConfigurationError(provider="x", error_msg="no")])
def test_without_new_credentials_the_service_error_is_raised(session, source, error):
    client = client_of(session, Wire("ExpiredToken"))
    source.error = error
    with pytest.raises(ClientError, match="ExpiredToken"):
        client.list_buckets()
    assert source.calls == 2
    assert repr(session.get_credentials().last_error) == repr(error)


def test_rejection_keeps_the_wait_after_a_failed_fetch(session, source):
    client = client_of(session, Wire(*["ExpiredToken"] * 3))
    source.error = OSError("no")
    for _ in range(3):
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.list_buckets()
    assert source.calls == 2


def test_rejected_credentials_again_are_a_failed_fetch(session, source):
    source.same = True
    wire = Wire("ExpiredToken", "ExpiredToken")
    client = client_of(session, wire)
    for _ in range(2):
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1", "AKIA1"], 2)
    assert "the same credentials again that a service rejected" in str(
        session.get_credentials().last_error
    )


@pytest.mark.parametrize("fails", [False, True])
def test_many_rejected_requests_make_one_fetch(session, source, fails):
    everybody = threading.Barrier(16)

    def reject(key):
        everybody.wait(10)
        source.error = OSError("no") if fails else None
        return "ExpiredToken"

    wire = Wire(*[reject] * 16)
    config = Config(max_pool_connections=16)
    client = client_of(session, wire, config=config)
    outcomes = together(16, client.list_buckets)
    assert wire.keys[:16] == ["AKIA1"] * 16
    assert wire.keys[16:] == ([] if fails else ["AKIA2"] * 16)
    assert [isinstance(one, ClientError) for one in outcomes] == [fails] * 16
    assert source.calls == 2


def test_rejection_of_replaced_credentials_costs_no_fetch(session, source):
    """A request may be under way longer than its credentials are in force."""

    def refreshed_meanwhile(key):
        session.get_credentials().refresh()
        return "ExpiredToken"

    wire = Wire(refreshed_meanwhile)
    client_of(session, wire).list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1", "AKIA2"], 2)


@pytest.mark.parametrize(("often", "known"), [(15, True), (16, False)])
def test_the_last_sixteen_access_keys_are_known(session, source, often, known):
    def refreshed_often(key):
        for _ in range(often):
            session.get_credentials().refresh()
        return "ExpiredToken"

    wire = Wire(refreshed_often)
    client = client_of(session, wire)
    if known:
        client.list_buckets()
        assert wire.keys == ["AKIA1", "AKIA16"]
    else:
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.list_buckets()
    assert source.calls == 1 + often


class NoSeek(io.BytesIO):
    """A stream that is read once, and says where it is, as an HTTP answer does."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise io.UnsupportedOperation


class ReadOnly:
    """As little of a stream as botocore takes."""

    def __init__(self, content):
        self.read = io.BytesIO(content).read


class NoTell(io.BytesIO):
    """A stream that does not say where it is."""

    def tell(self):
        raise io.UnsupportedOperation


def at(position):
    stream = io.BytesIO(b"0123456789")
    stream.seek(position)
    return stream


BODIES = {
    "bytes": (lambda: b"0123456789", True),
    "array": (lambda: bytearray(b"0123456789"), True),
    "stream": (lambda: at(0), True),
    "stream-elsewhere": (lambda: at(3), False),
    "no-tell": (lambda: NoTell(b"0123456789"), False),
    "no-seek": (lambda: NoSeek(b"0123456789"), False),
    "read-only": (lambda: ReadOnly(b"0123456789"), False),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_sent_again_as_it_was_or_not_at_all(session, source, body):
    """The URL is https, so that botocore sends a stream as it reads it."""
    make, again = BODIES[body]
    wire = Wire("ExpiredToken")
    client = client_of(session, wire)

    def put():
        client.put_object(Bucket="bucket", Key="key", Body=make(), ContentLength=10)

    if again:
        put()
        first, second = wire.bodies
        assert first == second
        assert b"0123456789" in second
        assert wire.keys == ["AKIA1", "AKIA2"]
    else:
        with pytest.raises(ClientError, match="ExpiredToken"):
            put()
        assert wire.keys == ["AKIA1"]
        put()  # the credentials are replaced all the same
        assert wire.keys == ["AKIA1", "AKIA2"]
    assert source.calls == 2


@pytest.mark.parametrize("part", [0, 8 * 1024 * 1024], ids=["whole", "parts"])
def test_a_managed_upload_is_sent_again(session, source, part, tmp_path):
    """Each part of it is a stream of its own, with a beginning of its own."""
    path, content = tmp_path / "file", b"x" * part + b"0123456789"
    path.write_bytes(content)

    wire = Wire(*([UPLOAD] if part else []), "ExpiredToken")
    transfer = TransferConfig(use_threads=False)
    client_of(session, wire).upload_file(str(path), "bucket", "key", Config=transfer)
    first, again = wire.bodies[bool(part) :][:2]
    assert first == again
    assert b"".join(one or b"" for one in wire.bodies).count(b"0123456789") == (1 if part else 2)
    assert source.calls == 2


def test_head_is_left_out_because_its_answer_names_no_error(session, source):
    wire = Wire(403)
    with pytest.raises(ClientError, match="403"):
        client_of(session, wire).head_object(Bucket="bucket", Key="key")
    assert (wire.keys, source.calls) == (["AKIA1"], 1)


def test_a_presigned_url_is_not_a_request(session, source):
    wire = Wire()
    url = client_of(session, wire).generate_presigned_url(
        "put_object", {"Bucket": "bucket", "Key": "key"}
    )
    assert "AKIA1" in url
    assert (wire.keys, source.calls) == ([], 1)


def test_client_with_explicit_credentials_is_unchanged(session, source):
    frozen = session.get_credentials().get_frozen_credentials()
    explicit = {
        "aws_access_key_id": frozen.access_key,
        "aws_secret_access_key": frozen.secret_key,
    }
    wire = Wire("ExpiredToken")
    with pytest.raises(ClientError):
        client_of(session, wire, **explicit).list_buckets()
    assert wire.keys == ["AKIA1"]
    wire = Wire("ExpiredToken")
    explicit["aws_access_key_id"] = "AKIAOTHER"
    with pytest.raises(ClientError):
        client_of(session, wire, **explicit).list_buckets()
    assert (wire.keys, source.calls) == (["AKIAOTHER"], 1)
    assert session.get_credentials().access_key == "AKIA2"


def handlers(session, caplog):
    """Return the handlers of this package that a new client calls for one request."""
    client = client_of(session, Wire())
    caplog.clear()
    client.list_buckets()
    called = [one.getMessage() for one in caplog.records if one.name == "botocore.hooks"]
    pattern = re.compile(f"calling handler.*({'|'.join(OURS)})")
    return [found[1] for one in called if (found := pattern.search(one))]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "body"),
    [
        ("redshift-data", "describe_statement", {"Id": "1"}, '{"Id": "1", "Error": "no table"}'),
        (
            "lambda",
            "get_durable_execution",
            {"DurableExecutionArn": "arn"},
            '{"Error": {"ErrorType": "ExpiredToken", "Code": "ExpiredToken"}}',
        ),
    ],
)
def test_a_successful_answer_with_a_member_error_is_accepted(
    session, service, operation, parameters, body
):
    sent = []

    def answer(request, **_):
        sent.append(request)
        return AWSResponse(request.url, 200, {}, Raw(body.encode()))

    client = session.client(service, region_name="eu-west-1")
    client.meta.events.register_first("before-send", answer)
    if not hasattr(client, operation):
        pytest.skip("this botocore is older than the operation")
    assert getattr(client, operation)(**parameters)["Error"]
    assert len(sent) == 1


OURS = ["note_request_with_cache", "note_headers", "decide_on_known"]


def test_other_sessions_have_no_handler(config, monkeypatch, source, caplog):
    config("[profile plain]\naws_access_key_id = AKIAPLAIN\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_PROFILE", "plain")
    botocore_ext.install()
    used = boto3.Session()
    botocore_ext.extend(used, source)
    assert handlers(used, caplog) == OURS
    assert handlers(boto3.Session(), caplog) == []


def test_handlers_are_registered_once(source, caplog):
    session = boto3.Session()
    botocore_ext.extend(session, source)
    for _ in range(3):
        session._session._credentials = None
        session.get_credentials()
    assert handlers(session, caplog) == OURS


def test_unused_credentials_are_collected(source):
    session = botocore.session.Session()
    provider = botocore_ext.from_http().bind(botocore_ext.Scope(session))
    older, newer = (botocore_ext.ProviderCredentials(provider) for _ in range(2))
    for credentials in (older, newer):
        rejections.resend_rejected(session, credentials)
    (ours,) = [one for of, one in rejections._known.items() if of is session]
    assert set(ours.values()) == {older, newer}
    del credentials, newer
    assert fakes.is_collected(lambda: set(ours.values()) == {older})


def test_a_client_created_before_resolving_is_left_out(source):
    session = boto3.Session()
    explicit = {"aws_access_key_id": "AKIA1", "aws_secret_access_key": "secret"}
    wire = Wire("ExpiredToken")
    client = client_of(session, wire, **explicit)
    botocore_ext.extend(session, source)
    assert session.get_credentials().access_key == "AKIA1"
    with pytest.raises(ClientError):
        client.list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1"], 1)


@pytest.mark.caller_signs
class TestProfiles:
    """With a server, a profile and ``install()``, as people use it."""

    @pytest.fixture(autouse=True)
    def _profiles(self, aws, config):
        config(f"""
[profile endpoint]
region = eu-west-1
container_credentials_full_uri = {aws.url}
# The server is of this process, which collects its garbage at times.
container_credentials_timeout = 10
[profile chain]
region = eu-west-1
credential_chain = CustomCognitoIdentity, profile endpoint
[profile role]
region = eu-west-1
role_arn = {ROLE}/App
source_profile = endpoint
""")
        botocore_ext.install()

    @pytest.mark.parametrize("profile", ["endpoint", "chain"])
    def test_selected_profile_is_served(self, aws, profile):
        client = boto3.Session(profile_name=profile).client("sts")
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken", 403))
        client.get_caller_identity()
        assert aws.operations() == ["GET", "GetCallerIdentity", "GET", "GetCallerIdentity"]
        old, new = (aws.requests[at].gave for at in (0, 2))
        assert f"={old}/" in aws.requests[1].headers["Authorization"]
        assert f"={new}/" in aws.requests[3].headers["Authorization"]

    def test_role_credentials_are_botocores(self, aws):
        client = boto3.Session(profile_name="role").client("sts")
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken", 403))
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.get_caller_identity()
        assert aws.operations() == ["GET", "AssumeRole", "GetCallerIdentity"]

    def test_role_with_a_rejected_source_recovers_later(self, aws):
        """AssumeRole is called with a copy of our credentials, so it cannot be sent again."""
        client = boto3.Session(profile_name="role").client("sts")
        aws.script("AssumeRole", fakes.error("ExpiredToken", 403))
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.get_caller_identity()
        client.get_caller_identity()
        assert aws.operations() == ["GET", "AssumeRole", "GET", "AssumeRole", "GetCallerIdentity"]

    def test_request_is_not_resent_for_another_token(self, aws):
        """Who replaces a token may well be another user."""
        provider = from_web_token(role_arn=f"{ROLE}/Web", web_identity_token=fakes.secret("token"))
        client = Session(credentials=provider, region_name="eu-west-1").client("sts")

        def replaced_meanwhile(request):
            provider.web_identity_token = fakes.secret("token")
            return fakes.error("ExpiredToken", 403)(request)

        aws.script("GetCallerIdentity", replaced_meanwhile)
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.get_caller_identity()
        assert aws.operations() == ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]

    def test_token_replaced_during_the_fetch_is_not_used(self, aws):
        provider = from_web_token(role_arn=f"{ROLE}/Web", web_identity_token=fakes.secret("token"))
        client = Session(credentials=provider, region_name="eu-west-1").client("sts")
        client.get_caller_identity()

        def replaced_meanwhile(request):
            provider.web_identity_token = fakes.secret("token")
            return aws.sts(request)

        aws.script("GetCallerIdentity", fakes.error("ExpiredToken", 403))
        aws.script("AssumeRoleWithWebIdentity", replaced_meanwhile)
        with pytest.raises(ClientError, match="ExpiredToken"):
            client.get_caller_identity()
        assert aws.operations().count("GetCallerIdentity") == 2


def test_chain_in_code_starts_at_its_first_link(source):
    session = Session(credentials=create_credential_chain(lambda: None, source))
    wire = Wire("ExpiredToken")
    client_of(session, wire).list_buckets()
    assert (wire.keys, source.calls) == (["AKIA1", "AKIA2"], 2)
