"""Libraries above aiobotocore: aioboto3 and s3fs, with profiles and providers of this package."""

import asyncio

import boto3
import pytest

import botocore_ext
from botocore_ext import from_cognito_identity_pool

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")

pytestmark = pytest.mark.caller_signs

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


def profile(pool):
    return f"[profile mobile]\nregion = us-east-1\ncognito_identity_pool_id = {pool}\n"


class TestAioboto3:
    @pytest.fixture
    def aioboto3(self):
        return pytest.importorskip("aioboto3", reason="aioboto3 is not installed")

    async def who(self, session):
        async with session.client("sts") as client:
            return (await client.get_caller_identity())["Arn"]

    def test_a_profile(self, aioboto3, config, aws):
        config(profile(POOL))
        botocore_ext.install()
        assert asyncio.run(self.who(aioboto3.Session(profile_name="mobile")))
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "GetCallerIdentity"]

    def test_extend_and_one_provider(self, aioboto3, aws):
        pool = from_cognito_identity_pool(identity_pool_id=POOL)
        extended = aioboto3.Session(region_name="us-east-1")
        botocore_ext.extend(extended, pool)
        inner = pytest.importorskip("botocore_ext.aio").AioSession(credentials=pool)
        alone = aioboto3.Session(botocore_session=inner, region_name="us-east-1")
        for session in (extended, alone):
            aws.requests.clear()
            assert asyncio.run(self.who(session))
            assert aws.operations()[-2:] == ["GetCredentialsForIdentity", "GetCallerIdentity"]


class TestS3fs:
    @pytest.fixture
    def moto(self, monkeypatch):
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        yield
        server.stop()

    @pytest.mark.usefixtures("moto")
    def test_reads_an_object_through_a_cognito_profile(self, config):
        s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
        owner = boto3.Session("AKIA", "secret", region_name="us-east-1")
        made = owner.client("cognito-identity").create_identity_pool(
            IdentityPoolName="pool", AllowUnauthenticatedIdentities=True
        )
        s3 = owner.client("s3")
        # Servers of moto in one process share their buckets.
        s3.create_bucket(Bucket="libraries")
        s3.put_object(Bucket="libraries", Key="key", Body=b"the object")
        config(profile(made["IdentityPoolId"]))
        botocore_ext.install()
        files = s3fs.S3FileSystem(profile="mobile", skip_instance_cache=True)
        assert files.cat("libraries/key") == b"the object"
        sync = pytest.importorskip("fsspec.asyn").sync
        credentials = sync(files.loop, files.session.get_credentials)
        assert credentials.method == "custom-cognito-identity-pool"
        files.close_session(files.loop, files.s3)
