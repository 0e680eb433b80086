"""Directory buckets of S3 Express in sessions of aiobotocore."""

import asyncio

import pytest
from botocore.exceptions import ClientError

from botocore_ext import FrozenCredentials, from_web_token
from tests import fakes
from tests.refresh.test_express import BUCKET, DENIED, EXPIRED, ROLE, S3Express, slowly

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
aio = pytest.importorskip("botocore_ext.aio")

pytestmark = pytest.mark.caller_signs


@pytest.fixture
def express(aws):
    return S3Express(aws)


@pytest.fixture
def provider():
    return from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))


@pytest.fixture
def session(express, provider):
    return aio.AioSession(credentials=provider)


def client_of(session):
    return session.create_client("s3", region_name="us-west-2")


async def get(client):
    answer = await client.get_object(Bucket=BUCKET, Key="key")
    async with answer["Body"] as body:
        return await body.read()


async def access_key(session):
    credentials = await session.get_credentials()
    return (await credentials.get_frozen_credentials()).access_key


def test_a_replaced_token(session, provider, express):
    async def run():
        async with client_of(session) as client:
            await get(client)
            await get(client)
            first = await access_key(session)
            provider.web_identity_token = fakes.secret("token")
            await get(client)
            return first, await access_key(session)

    first, second = asyncio.run(run())
    assert express.users == [first, first, second]
    assert express.creations == {first: 1, second: 1}


def test_refresh(session, express):
    async def run():
        async with client_of(session) as client:
            await get(client)
            first = await access_key(session)
            await (await session.get_credentials()).refresh()
            await get(client)
            return first, await access_key(session)

    first, second = asyncio.run(run())
    assert express.users == [first, second]


def test_a_presigned_url(session, provider, express):
    async def run():
        urls = []
        async with client_of(session) as client:
            for _ in range(2):
                parameters = {"Bucket": BUCKET, "Key": "key"}
                urls.append(await client.generate_presigned_url("get_object", parameters))
                provider.web_identity_token = fakes.secret("token")
        return urls

    keys = [url.partition("Credential=")[2].partition("%2F")[0] for url in asyncio.run(run())]
    assert [express.created[key][0] for key in keys] == list(express.creations)
    assert list(express.creations.values()) == [1, 1]


def test_another_bucket_kind_is_left_alone(session, aws):
    async def run():
        async with client_of(session) as client:
            await client.get_object(Bucket="data", Key="key")

    aws.scripts.clear()
    asyncio.run(run())
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "GET"]


def test_a_cache_of_the_users_own(session, express):
    class Own:
        async def get_credentials(self, bucket):
            own = FrozenCredentials("AKIAOWN", fakes.secret("own"), "token")
            return await aio.AioSession(credentials=own).get_credentials()

    def put(request, **_):
        request.context["signing"]["identity_cache"] = Own()

    async def run():
        async with client_of(session) as client:
            client.meta.events.register("before-sign.s3.GetObject", put)
            client.meta.events.register("before-sign.s3", put)
            await get(client)

    express.created["AKIAOWN"] = "user", BUCKET
    asyncio.run(run())
    assert (express.users, express.creations) == (["user"], {})


def test_tasks_that_need_one_at_once_create_one(session, express):
    async def run():
        async with client_of(session) as client:
            express.refusals["CreateSession"] = [slowly]
            await asyncio.gather(*(get(client) for _ in range(8)))
            return await access_key(session)

    user = asyncio.run(run())
    assert express.users == [user] * 8
    assert express.creations == {user: 1}


def test_session_stays_in_use_while_one_task_replaces_it(session, express):
    express.lifetime = 44

    async def run():
        async with client_of(session) as client:
            await get(client)
            express.refusals["CreateSession"] = [slowly]
            await asyncio.gather(*(get(client) for _ in range(8)))

    asyncio.run(run())
    assert sum(express.creations.values()) == 2


@pytest.mark.parametrize(("lifetime", "served"), [(44, 2), (9, 1)])
def test_a_failure_costs_nothing_while_it_lasts(session, express, lifetime, served):
    express.lifetime = lifetime

    async def run():
        async with client_of(session) as client:
            await get(client)
            express.refusals["CreateSession"] = [DENIED]
            await get(client)

    if served == 1:
        with pytest.raises(ClientError, match="AccessDenied"):
            asyncio.run(run())
    else:
        asyncio.run(run())
    assert len(express.users) == served


@pytest.mark.parametrize(("operation", "creations"), [("GetObject", 2), ("CreateSession", 1)])
def test_a_rejection_replaces_what_was_rejected(session, express, operation, creations):
    async def run():
        async with client_of(session) as client:
            if operation == "GetObject":
                await get(client)
            express.refusals[operation] = [EXPIRED]
            await get(client)
            return await access_key(session)

    user = asyncio.run(run())
    assert express.users == [user] * len(express.users)
    assert express.creations == {user: creations}


def test_creation_that_needs_a_session_creates_another(session, express):
    async def run():
        async with client_of(session) as client:

            async def read_once(**_):
                client.meta.events.unregister("before-send.s3.CreateSession", read_once)
                await get(client)

            client.meta.events.register("before-send.s3.CreateSession", read_once)
            await get(client)
            return await access_key(session)

    assert [asyncio.run(run())] * 2 == express.users


def test_what_creates_one_is_not_logged(session, express, caplog):
    async def run():
        async with client_of(session) as client:
            await get(client)

    asyncio.run(run())
    assert "GetObject" in caplog.text
    assert "<CreateSessionResult>" not in caplog.text
