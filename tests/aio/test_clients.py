"""Clients of one session of aiobotocore with credentials of their own."""

import asyncio

import pytest

import botocore_ext
from botocore_ext import NotConfigured, from_web_token
from tests import fakes
from tests.session.test_clients import signers, user

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
aio = pytest.importorskip("botocore_ext.aio")
theirs = pytest.importorskip("aiobotocore.session")

pytestmark = pytest.mark.caller_signs


async def call(session, **arguments):
    async with session.create_client("sts", region_name="eu-west-1", **arguments) as client:
        await client.get_caller_identity()


def test_each_client_signs_as_its_own(aws):
    session = aio.AioSession(credentials=user("AKIASESSION"))

    async def run():
        for source in (user("AKIA1"), lambda: user("AKIA2"), user("AKIA3", method="custom")):
            await call(session, credentials=source)
        await call(session)

    asyncio.run(run())
    assert signers(aws) == ["AKIA1", "AKIA2", "AKIA3", "AKIASESSION"]


def test_a_session_that_is_not_ours(aws):
    async def run():
        make = botocore_ext.client
        arguments = {"region_name": "eu-west-1", "credentials": user("AKIA1")}
        async with make(theirs.AioSession(), "sts", **arguments) as client:
            await client.get_caller_identity()
        aioboto3 = pytest.importorskip("aioboto3", reason="aioboto3 is not installed")
        async with make(aioboto3.Session(), "sts", **arguments) as client:
            await client.get_caller_identity()
        session, bucket = aioboto3.Session(region_name="eu-west-1"), "bucket"
        async with botocore_ext.resource(session, "s3", credentials=user("AKIA2")) as s3:
            await (await s3.Object(bucket, "key")).put(Body=b"")

    asyncio.run(run())
    assert signers(aws) == ["AKIA1", "AKIA1", "AKIA2"]


def test_a_rejected_request_is_sent_again(aws):
    provider = from_web_token(
        role_arn="arn:aws:iam::123456789012:role/A", web_identity_token=fakes.secret("token")
    )
    aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
    asyncio.run(call(aio.AioSession(), credentials=provider))
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "GetCallerIdentity"] * 2


def test_what_is_refused(aws):
    session = aio.AioSession()
    with pytest.raises(TypeError, match="NoneType is not a credential provider"):
        session.create_client("sts", credentials=None)
    with pytest.raises(TypeError, match="exclude each other"):
        session.create_client("sts", aws_access_key_id="AKIA", credentials=user("AKIA1"))
    with pytest.raises(NotConfigured, match="it has none here"):
        asyncio.run(call(session, credentials=lambda: None))
