"""Everything that a client with ``per_request()`` sends is signed as the identity of the call."""

import copy
import io
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from boto3.s3.transfer import S3Transfer, TransferConfig
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.server import ThreadedMotoServer
from s3transfer.manager import TransferManager

from botocore_ext import (
    ConfigurationError,
    FrozenCredentials,
    Session,
    from_web_token,
    per_request,
    use_credentials,
)
from tests import fakes
from tests.refresh.test_express import BUCKET, S3Express, signed_with

pytestmark = pytest.mark.caller_signs

A, B = FrozenCredentials("AKIAA", "secret"), FrozenCredentials("AKIAB", "secret")


class Wire:
    """Notes who signs each request of the clients of a session, and passes it on."""

    def __init__(self, session):
        self.sent = []
        session.events.register_first("before-send", self)

    def __call__(self, request, event_name, **_):
        key = str(request.headers.get("Authorization", b"")).partition("Credential=")[2]
        self.sent.append((event_name.rpartition(".")[2], key.partition("/")[0]))

    def signers(self):
        found = [key for _, key in self.sent]
        self.sent.clear()
        return found


@pytest.fixture
def session():
    return Session(credentials=per_request(), region_name="us-west-2")


@pytest.fixture
def wire(session):
    return Wire(session)


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def store(moto, session, monkeypatch):
    """Let clients talk to moto, which has one bucket and one table."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    with use_credentials(A):
        s3 = session.client("s3")
        s3.create_bucket(
            Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        ) if "bucket" not in [one["Name"] for one in s3.list_buckets()["Buckets"]] else None
        for one in range(5):
            s3.put_object(Bucket="bucket", Key=f"key{one}", Body=b"x" * (one + 1))
    return session


def url_signer(url):
    return url.partition("Credential=")[2].partition("%2F")[0]


class TestCalls:
    def test_presigned_urls_and_posts(self, session):
        client = session.client("s3", config=Config(signature_version="s3v4"))
        arguments = {"Bucket": "bucket", "Key": "key"}
        for source, name in ((A, "AKIAA"), (B, "AKIAB")):
            with use_credentials(source):
                assert url_signer(client.generate_presigned_url("get_object", arguments)) == name
                post = client.generate_presigned_post(**arguments)
            assert post["fields"]["x-amz-credential"].startswith(name)
        for make in (
            lambda: client.generate_presigned_url("get_object", arguments),
            lambda: client.generate_presigned_post(**arguments),
        ):
            with pytest.raises(ConfigurationError, match="no identity is in force"):
                make()

    def test_database_tokens(self, session):
        client = session.client("rds")
        with use_credentials(A):
            token = client.generate_db_auth_token("host", 3306, "user")
        assert "AKIAA" in token

    def test_retries(self, aws, session, wire):
        aws.script("GetCallerIdentity", fakes.Answer(b"", 500))
        with use_credentials(A):
            session.client("sts").get_caller_identity()
        assert wire.signers() == ["AKIAA"] * 2

    def test_a_rejected_request_is_sent_again_as_the_same_identity(self, aws, session):
        client, providers = session.client("sts"), [role(name) for name in "AB"]
        for provider in providers:
            with use_credentials(provider):
                client.get_caller_identity()
        aws.requests.clear()
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
        with use_credentials(providers[0]):
            client.get_caller_identity()
        rejected, assume, again = aws.requests
        assert assume.parameters["RoleArn"].endswith("/A")
        assert signed_with(again) == assume.gave != signed_with(rejected)
        with use_credentials(providers[1]):
            client.get_caller_identity()
        assert aws.operations().count("AssumeRoleWithWebIdentity") == 1

    def test_a_rejection_that_is_not_of_a_provider_is_raised(self, aws, session):
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
        with use_credentials(A), pytest.raises(Exception, match="ExpiredToken"):
            session.client("sts").get_caller_identity()
        assert aws.operations() == ["GetCallerIdentity"]

    def test_a_streaming_body_and_an_event_stream(self, aws, session, wire):
        client = session.client("s3")
        aws.always("GET", fakes.Answer(b"content"))
        aws.always("POST", fakes.Answer(b""))
        with use_credentials(A):
            body = client.get_object(Bucket="bucket", Key="key")["Body"]
            events = client.select_object_content(
                Bucket="bucket",
                Key="key",
                Expression="e",
                ExpressionType="SQL",
                InputSerialization={"CSV": {}},
                OutputSerialization={"CSV": {}},
            )["Payload"]
        with use_credentials(B):
            assert body.read() == b"content"
            assert list(events) == []
        assert wire.signers() == ["AKIAA", "AKIAA"]

    def test_sigv4a(self, aws, session, wire):
        client = session.client("s3", config=Config(signature_version="s3v4a"))
        aws.always("GET", fakes.Answer(b""))
        for source in (A, B):
            with use_credentials(source):
                client.get_object(Bucket="bucket", Key="key")
        assert wire.signers() == ["AKIAA", "AKIAB"]

    def test_account_id_endpoints(self, session):
        client, hosts = session.client("dynamodb"), []

        def answer(request, **_):
            hosts.append(request.url.split("/")[2])
            return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: [b"{}"]))

        client.meta.events.register_first("before-send", answer)
        for account in ("1" * 12, "2" * 12, None):
            with use_credentials(FrozenCredentials("AKIA", "s", account_id=account)):
                client.list_tables()
        assert [host.split(".")[0] for host in hosts] == ["1" * 12, "2" * 12, "dynamodb"]


def role(name):
    return from_web_token(
        role_arn=f"arn:aws:iam::123456789012:role/{name}", web_identity_token=fakes.secret("token")
    )


class TestPages:
    def test_pages_are_read_as_the_identity_of_paginate(self, store, wire):
        """Wherever the paginator was created, and whatever thread reads the pages."""
        client = store.client("s3")
        with use_credentials(B):
            paginator = client.get_paginator("list_objects_v2")
        with use_credentials(A):
            config = {"PageSize": 2}
            pages = [paginator.paginate(Bucket="bucket", PaginationConfig=config) for _ in range(3)]
        with use_credentials(B):
            assert sum(len(page["Contents"]) for page in pages[0]) >= 5
            assert set(wire.signers()) == {"AKIAA"}
            assert len(list(pages[1].search("Contents"))) >= 5
            assert set(wire.signers()) == {"AKIAA"}
        assert len(pages[2].build_full_result()["Contents"]) >= 5
        assert set(wire.signers()) == {"AKIAA"}

    def test_pages_of_no_identity(self, store):
        pages = store.client("s3").get_paginator("list_objects_v2").paginate(Bucket="bucket")
        with use_credentials(A), pytest.raises(ConfigurationError, match="no identity"):
            list(pages)

    def test_pages_in_threads(self, store, wire):
        client, found = store.client("s3"), {}

        def read(source):
            with use_credentials(source):
                pages = client.get_paginator("list_objects_v2").paginate(
                    Bucket="bucket", PaginationConfig={"PageSize": 1}
                )
            found[source.access_key] = len(list(pages))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(read, (A, B)))
        assert Counter(wire.signers()) == found

    def test_a_waiter(self, store, wire):
        client = store.client("s3")
        with use_credentials(B):
            waiter = client.get_waiter("object_exists")
        with use_credentials(A):
            waiter.wait(Bucket="bucket", Key="key1")
        with pytest.raises(ConfigurationError, match="no identity"):
            waiter.wait(Bucket="bucket", Key="key1")
        assert wire.signers() == ["AKIAA"]


class TestResources:
    def test_attributes_are_loaded_for_each_identity(self, store, wire):
        """What one identity may see must not be shown to another."""
        found = store.resource("s3").Object("bucket", "key3")
        for source, name in ((A, "AKIAA"), (B, "AKIAB")):
            with use_credentials(source):
                assert (found.content_length, found.content_length) == (4, 4)
                assert wire.signers() == [name]
        with use_credentials(A):
            assert found.content_length == 4
            assert found.meta.copy().data["ContentLength"] == 4
        assert wire.signers() == []
        assert found.meta.data is None
        with pytest.raises(ConfigurationError, match="no identity"):
            _ = found.content_length

    def test_loaded_attributes_belong_to_their_identity(self, store):
        found = store.resource("s3").Object("bucket", "key3")
        with use_credentials(FrozenCredentials("AKIAC", "secret")):
            assert found.content_length == 4
            assert len(found.meta._loaded) == 2
        assert len(found.meta._loaded) == 1

    def test_collections_and_actions(self, store, wire):
        bucket = store.resource("s3").Bucket("bucket")
        with use_credentials(A):
            some = bucket.objects.page_size(2)
            items = iter(some)
            first = next(items)
        with use_credentials(B):
            rest = list(items)
            assert set(wire.signers()) == {"AKIAA"}
            first.get()
            assert wire.signers() == ["AKIAB"]
            bucket.objects.filter(Prefix="none").delete()
            assert wire.signers() == ["AKIAB"]
        assert len(rest) >= 4

    def test_a_table(self, store, wire):
        resource = store.resource("dynamodb")
        with use_credentials(A):
            found = resource.create_table(
                TableName="t",
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            )
        wire.sent.clear()
        with use_credentials(B):
            with found.batch_writer() as batch:
                batch.put_item({"id": "1"})
            assert found.table_status == "ACTIVE"
            assert found.scan()["Count"] == 1
            found.delete()
        assert set(wire.signers()) == {"AKIAB"}

    def test_a_batch_writer_keeps_its_identity(self, aws, session, wire):
        """It sends later: the items of one tenant in the block of another one."""
        aws.always("POST", fakes.Answer(b'{"UnprocessedItems": {}}'))
        table = session.resource("dynamodb").Table("t")
        with use_credentials(A):
            writer = table.batch_writer(overwrite_by_pkeys=["id"])
        with use_credentials(B), writer:
            for one in range(30):
                writer.put_item({"id": str(one)})
        assert wire.signers() == ["AKIAA"] * 2
        writer = table.batch_writer()
        with use_credentials(A), pytest.raises(ConfigurationError, match="no identity"), writer:
            writer.put_item({"id": "1"})


PARTS = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20)


class TestTransfers:
    def test_threads_have_the_identity_of_the_transfer(self, store, wire, tmp_path):
        client = store.client("s3")
        content = b"x" * (11 * 2**20)
        (tmp_path / "up").write_bytes(content)
        loaded = io.BytesIO()
        with use_credentials(A):
            client.upload_file(str(tmp_path / "up"), "bucket", "big", Config=PARTS)
            client.upload_fileobj(io.BytesIO(content), "bucket", "big2", Config=PARTS)
            assert len(wire.sent) > 8
            client.download_file("bucket", "big", str(tmp_path / "down"), Config=PARTS)
            client.download_fileobj("bucket", "big", loaded, Config=PARTS)
            source = {"Bucket": "bucket", "Key": "big"}
            client.copy(source, "bucket", "big3", SourceClient=client, Config=PARTS)
            store.resource("s3").Object("bucket", "big3").download_fileobj(io.BytesIO())
        assert set(wire.signers()) == {"AKIAA"}
        assert loaded.getvalue() == (tmp_path / "down").read_bytes() == content

    def test_the_client_of_a_transfer_can_be_copied(self, session, wire, aws):
        """Its copy has the same identity; botocore's own clients cannot be copied."""

        def add(class_attributes, **_):
            class_attributes["upload_file"] = copy.copy

        session.events.register("creating-client-class.sts", add)
        with use_credentials(A):
            copied = session.client("sts").upload_file()
        with use_credentials(B):
            copied.get_caller_identity()
        assert wire.signers() == ["AKIAA"]
        assert aws.operations() == ["GetCallerIdentity"]
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(copied)

    def test_many_transfers_at_once(self, store, wire):
        client = store.client("s3")
        users = [FrozenCredentials(f"AKIA{one:02d}", "secret") for one in range(12)]
        by_key = []

        def note(request, **_):
            key = str(request.headers.get("Authorization")).partition("Credential=")[2]
            by_key.append((request.url.rpartition("/")[2].partition("?")[0], key[:6]))

        client.meta.events.register_first("before-send", note)

        def upload(user):
            with use_credentials(user):
                client.upload_fileobj(io.BytesIO(b"content"), "bucket", user.access_key)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(upload, users))
        assert len(by_key) == 12
        assert all(key == user for key, user in by_key)

    @pytest.mark.parametrize("default", [None, B])
    @pytest.mark.parametrize("make", [S3Transfer, TransferManager])
    def test_a_transfer_without_the_client_fails_closed(self, store, make, default, tmp_path):
        """Its threads know no identity, and the default may be another one."""
        new = store.using(per_request(default))
        wire, client = Wire(new), new.client("s3")
        (tmp_path / "up").write_bytes(b"content")

        def upload(manager):
            begin = getattr(manager, "upload", None) or manager.upload_file
            future = begin(str(tmp_path / "up"), "bucket", "key")
            return future and future.result()

        refused = pytest.raises(Exception, match=r"TransferConfig\(use_threads=False\)")
        with use_credentials(A), make(client) as manager, refused:
            upload(manager)
        assert wire.signers() == []

    def test_a_transfer_in_the_same_thread(self, store, wire, tmp_path):
        client = store.client("s3")
        (tmp_path / "up").write_bytes(b"content")
        with use_credentials(A), S3Transfer(client, TransferConfig(use_threads=False)) as transfer:
            transfer.upload_file(str(tmp_path / "up"), "bucket", "key")
        assert wire.signers() == ["AKIAA"]

    def test_a_default_transfers_too(self, store):
        new = store.using(per_request(B))
        wire, client = Wire(new), new.client("s3")
        client.upload_fileobj(io.BytesIO(b"content"), "bucket", "key")
        assert wire.signers() == ["AKIAB"]

    def test_the_common_runtime_is_refused(self, store, monkeypatch):
        # One process of a machine has the lock, and other tests may run at the same time.
        monkeypatch.setattr("s3transfer.crt.CRT_S3_PROCESS_LOCK", object())
        # Only on such an instance do all versions of boto3 use the CRT.
        monkeypatch.setattr("awscrt.s3.is_optimized_for_system", lambda: True)
        crt = TransferConfig()
        client = store.client("s3")
        with use_credentials(A):
            for call in (
                lambda: client.upload_fileobj(io.BytesIO(b""), "bucket", "key", Config=crt),
                lambda: S3Transfer(client, crt),
            ):
                with pytest.raises(ConfigurationError, match="preferred_transfer_client='classic'"):
                    call()
        explicit = store.client("s3", aws_access_key_id="AKIA", aws_secret_access_key="s")
        assert explicit._get_credentials().access_key == "AKIA"


def test_directory_buckets_have_a_session_for_each_identity(aws, session):
    express, client = S3Express(aws), session.client("s3")
    for source in (A, B, A, B):
        with use_credentials(source):
            client.get_object(Bucket=BUCKET, Key="key")["Body"].read()
    assert express.users == ["AKIAA", "AKIAB"] * 2
    assert express.creations == {"AKIAA": 1, "AKIAB": 1}
    with pytest.raises(ConfigurationError, match="no identity"):
        client.get_object(Bucket=BUCKET, Key="key")


def test_endpoint_discovery_is_refused(session):
    """Its cache belongs to the client: the second identity would get the endpoint of the first."""
    client = session.client("timestream-write")
    with use_credentials(A), pytest.raises(ConfigurationError, match="create a client for each"):
        client.list_databases()
    own = session.client("timestream-write", credentials=A)
    hosts = []

    def answer(request, **_):
        hosts.append(request.url.split("/")[2])
        endpoint = {"Address": "cell1.example.com", "CachePeriodInMinutes": 60}
        body = b'{"Endpoints": [%s], "Databases": []}' % str(endpoint).replace("'", '"').encode()
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: [body]))

    own.meta.events.register_first("before-send", answer)
    own.list_databases()
    assert hosts[1] == "cell1.example.com"


def test_credentials_of_the_session_outside_a_client(session):
    """Such as requests that are signed by hand."""
    credentials = session.get_credentials()
    with use_credentials(A):
        assert credentials.get_frozen_credentials().access_key == "AKIAA"
    with pytest.raises(ConfigurationError, match="no identity"):
        credentials.get_frozen_credentials()
    credentials.invalidate()
