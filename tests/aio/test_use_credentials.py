"""``per_request`` and ``use_credentials`` in sessions of aiobotocore."""

import asyncio
import io
from collections import Counter

import pytest

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FrozenCredentials,
    NotConfigured,
    from_web_token,
    per_request,
    use_credentials,
)
from tests import fakes
from tests.refresh.test_express import BUCKET, S3Express
from tests.session.test_clients import signers

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
aio = pytest.importorskip("botocore_ext.aio")

pytestmark = pytest.mark.caller_signs

A, B = FrozenCredentials("AKIAA", "secret"), FrozenCredentials("AKIAB", "secret")


@pytest.fixture
def session():
    return aio.AioSession(credentials=per_request())


def client_of(session, service="sts"):
    return session.create_client(service, region_name="us-west-2")


def role(name):
    return from_web_token(
        role_arn=f"arn:aws:iam::123456789012:role/{name}", web_identity_token=fakes.secret("token")
    )


async def calls(client, source, count=3):
    async with use_credentials(source):
        for _ in range(count):
            await client.get_caller_identity()
            await asyncio.sleep(0)


def test_a_client_that_ignores_the_identity_is_warned_of_once(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASESSION")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())

    async def run():
        async with client_of(aio.AioSession()) as client:
            await calls(client, A)

    with pytest.warns(UserWarning, match="has no effect on this client of sts") as heard:
        asyncio.run(run())
    assert len(heard) == 1
    assert {*signers(aws)} == {"AKIASESSION"}


def test_each_task_signs_as_its_own(aws, session):
    providers = [role(str(one)) for one in range(20)]

    async def run():
        async with client_of(session) as client:
            await asyncio.gather(*(calls(client, one) for one in providers + providers))

    asyncio.run(run())
    gave = [one.gave for one in aws.requests if one.operation == "AssumeRoleWithWebIdentity"]
    assert len(gave) == 20
    assert sorted(signers(aws)) == sorted(gave * 6)


def test_nothing_in_force(aws, session, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

    async def run():
        async with client_of(session) as client:
            with pytest.raises(ConfigurationError, match="no identity is in force"):
                await client.get_caller_identity()
            with pytest.raises(NotConfigured, match="none here"):
                await calls(client, lambda: None)
            with use_credentials(A):
                task = asyncio.create_task(client.get_caller_identity())
            await task

    asyncio.run(run())
    assert signers(aws) == ["AKIAA"]


def test_a_coroutine_function_and_what_else_is_accepted(aws, session):
    async def source():
        await asyncio.sleep(0.01)
        return A

    async def run():
        async with client_of(session) as client:
            for one in (source, lambda: A, A, fakes_credentials()):
                await asyncio.gather(*(calls(client, one, 1) for _ in range(3)))

    asyncio.run(run())
    assert signers(aws) == ["AKIAA"] * 12


def fakes_credentials():
    """Return a credentials object of botocore."""
    return botocore_ext.Session("AKIAA", "secret").get_credentials()


def test_a_client_of_a_session_that_is_not_per_request(aws):
    session = aio.AioSession(credentials=B)

    async def run():
        arguments = {"region_name": "us-west-2", "credentials": per_request(default=A)}
        async with session.create_client("sts", **arguments) as client:
            await client.get_caller_identity()
            await calls(client, B, 1)

    asyncio.run(run())
    assert signers(aws) == ["AKIAA", "AKIAB"]


def test_pages_and_presigned_urls(aws, session):
    page = b"""<ListBucketResult><IsTruncated>%s</IsTruncated>
        <NextContinuationToken>t</NextContinuationToken></ListBucketResult>"""

    async def run():
        async with client_of(session, "s3") as client:
            paginator = client.get_paginator("list_objects_v2")
            with use_credentials(A):
                pages = paginator.paginate(Bucket="bucket")
                url = await client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
            with use_credentials(B):
                assert [one["IsTruncated"] async for one in pages] == [True, False]
            unread = paginator.paginate(Bucket="bucket")
            with use_credentials(B), pytest.raises(ConfigurationError, match="no identity"):
                await unread.build_full_result()
            return url

    aws.script("GET", fakes.Answer(page % b"true"), fakes.Answer(page % b"false"))
    assert "AKIAA" in asyncio.run(run())
    assert signers(aws) == ["AKIAA", "AKIAA"]


def test_a_rejected_request_is_sent_again_as_the_same_identity(aws, session):
    providers = [role(name) for name in "AB"]

    async def run():
        async with client_of(session) as client:
            for provider in providers:
                await calls(client, provider, 1)
            aws.requests.clear()
            aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
            await calls(client, providers[0], 1)

    asyncio.run(run())
    rejected, assume, again = aws.requests
    assert assume.parameters["RoleArn"].endswith("/A")
    assert signers(aws)[1] == assume.gave
    assert rejected.operation == again.operation == "GetCallerIdentity"


def test_account_ids_and_other_fields(session):
    async def run():
        credentials = await session.get_credentials()
        assert repr(credentials) == "<PerRequestCredentials>"
        credentials.invalidate()
        with use_credentials(FrozenCredentials("AKIA", "s", "t", account_id="1" * 12)):
            return [
                await credentials.get_access_key(),
                await credentials.get_secret_key(),
                await credentials.get_token(),
                await credentials.get_account_id(),
            ]

    assert asyncio.run(run()) == ["AKIA", "s", "t", "1" * 12]


def test_directory_buckets_have_a_session_for_each_identity(aws, session):
    express = S3Express(aws)

    async def run():
        async with client_of(session, "s3") as client:
            for source in (A, B, A, B):
                with use_credentials(source):
                    answer = await client.get_object(Bucket=BUCKET, Key="key")
                    await answer["Body"].read()

    asyncio.run(run())
    assert express.users == ["AKIAA", "AKIAB"] * 2
    assert express.creations == {"AKIAA": 1, "AKIAB": 1}


def test_explain(session):
    async def run():
        async with client_of(session) as client:
            with use_credentials(A):
                return [botocore_ext.explain(one).found for one in (session, client)]

    assert [one.access_key[-4:] for one in asyncio.run(run())] == ["KIAA", "KIAA"]


def test_endpoint_discovery_is_refused(session):
    async def run():
        async with client_of(session, "timestream-write") as client:
            with use_credentials(A):
                await client.list_databases()

    with pytest.raises(ConfigurationError, match="create a client for each"):
        asyncio.run(run())


def test_s3fs_in_tasks(aws, session):
    """One file system serves all identities; it is asynchronous, so that it runs in the tasks."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    aws.always("GET", fakes.Answer(b"content"))

    async def run():
        arguments = {"asynchronous": True, "session": session, "skip_instance_cache": True}
        files = s3fs.S3FileSystem(client_kwargs={"region_name": "us-west-2"}, **arguments)
        client = await files.set_session()

        async def read(source):
            with use_credentials(source):
                assert await files._cat_file("bucket/key", start=0, end=7) == b"content"

        await asyncio.gather(*(read(one) for one in (A, B) * 5))
        await client.close()

    asyncio.run(run())
    assert sorted(signers(aws)) == ["AKIAA"] * 5 + ["AKIAB"] * 5


def test_a_resource_of_aioboto3(aws, session):
    aioboto3 = pytest.importorskip("aioboto3", reason="aioboto3 is not installed")
    found = aioboto3.Session(botocore_session=session, region_name="us-west-2")

    async def run():
        async with found.resource("s3") as s3:
            for source in (A, B):
                with use_credentials(source):
                    await (await s3.Object("bucket", "key")).put(Body=b"")
                    await (await s3.Bucket("bucket")).upload_fileobj(io.BytesIO(b"x"), "key")

    asyncio.run(run())
    assert signers(aws) == ["AKIAA", "AKIAA", "AKIAB", "AKIAB"]


PART = 1024


def test_transfers_of_aioboto3_in_tasks(aws, session, tmp_path):
    """Each has the identity in force where its task was created, in all its parts."""
    aioboto3 = pytest.importorskip("aioboto3", reason="aioboto3 is not installed")
    found = aioboto3.Session(botocore_session=session, region_name="us-west-2")
    parts = pytest.importorskip("boto3.s3.transfer").TransferConfig(
        multipart_threshold=PART, multipart_chunksize=PART
    )
    size = {"Content-Length": str(PART + 1)}
    aws.always("POST", fakes.Answer(b"<Answer><UploadId>u</UploadId></Answer>"))
    aws.always("HEAD", fakes.Answer(headers=size))
    aws.always("GET", fakes.Answer(b"content"))
    aws.always("PUT", put)
    (tmp_path / "file").write_bytes(b"x" * (PART + 1))

    async def transfer(s3, user):
        key, source = user.access_key, {"Bucket": "from", "Key": user.access_key}
        await s3.upload_fileobj(io.BytesIO(b"small"), "bucket", key)
        await s3.upload_file(str(tmp_path / "file"), "bucket", key, Config=parts)
        await s3.download_fileobj("bucket", key, io.BytesIO(), Config=parts)
        await s3.copy(source, "bucket", key, Config=parts)

    async def run():
        async with found.client("s3") as s3:
            tasks = []
            for user in USERS:
                with use_credentials(user):
                    tasks.append(asyncio.create_task(transfer(s3, user)))
            with use_credentials(B):
                await asyncio.wait_for(asyncio.gather(*tasks), 60)
            with pytest.raises(ConfigurationError, match="no identity is in force"):
                await s3.upload_fileobj(io.BytesIO(b"small"), "bucket", "key")

    asyncio.run(run())
    made = Counter(zip(signers(aws), map(key_of, aws.requests), strict=True))
    # put, three of a multipart upload twice, one more part each, two heads and two ranges.
    assert made == {(user.access_key,) * 2: 13 for user in USERS}


USERS = [FrozenCredentials(f"AKIA{one}", "secret") for one in range(4)]


def put(request):
    """Answer an upload of an object or a part, or a copy of a part."""
    if "x-amz-copy-source" in {name.lower() for name in request.headers}:
        return fakes.Answer(b"<CopyPartResult><ETag>e</ETag></CopyPartResult>")
    return fakes.Answer(headers={"ETag": "e"})


def key_of(request):
    return request.target.rpartition("/")[2].partition("?")[0]
