"""Tasks that share credentials: what one of them does fails none of the others."""

import asyncio

import pytest

from botocore_ext import ConfigurationError, from_web_token
from tests import fakes
from tests.refresh.test_refresh import ROLE
from tests.runtime.test_awaiting import until

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
aio = pytest.importorskip("botocore_ext.aio")

STS = "AssumeRoleWithWebIdentity"


def session_of(token):
    return aio.AioSession(credentials=from_web_token(role_arn=ROLE, web_identity_token=token))


def test_the_debug_mode_of_asyncio_shows_no_secret(aws, caplog):
    """It shows the results of tasks that take long; every test looks for secrets in the log."""

    async def token():
        return await asyncio.sleep(0, fakes.secret("token"))

    async def main():
        asyncio.get_running_loop().slow_callback_duration = 0
        credentials = await session_of(token).get_credentials()
        await credentials.get_frozen_credentials()
        await credentials.refresh()

    asyncio.run(main(), debug=True)
    assert aws.operations() == [STS] * 2
    executed = [one.getMessage() for one in caplog.records if one.name == "asyncio"]
    assert [one for one in executed if "botocore_ext" in one and "Executing" in one]
    assert not [one for one in executed if "result=Read" in one]  # of which it shows the ends


def test_forty_overlapping_refreshes_are_forty_successes(aws):
    async def main():
        credentials = await session_of(fakes.secret("token")).get_credentials()
        aws.delay = 0.02
        await asyncio.gather(*[credentials.refresh() for _ in range(40)])

    asyncio.run(main())


def test_refresh_that_waits_for_itself_is_an_error():
    async def token():
        await (await session.get_credentials()).refresh()

    session = session_of(token)

    async def main():
        await (await session.get_credentials()).refresh()

    with pytest.raises(ConfigurationError, match="depends on itself"):
        asyncio.run(main())


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_tasks_that_wait_together_get_an_error_each(aws, is_cancelled):
    aws.delay = 0.1
    aws.always(STS, fakes.error("AccessDenied"))

    async def main():
        credentials = await session_of(fakes.secret("token")).get_credentials()
        tasks = [asyncio.create_task(credentials.get_frozen_credentials()) for _ in range(8)]
        if is_cancelled:
            await asyncio.sleep(0.01)
            tasks.pop(0).cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    errors = asyncio.run(main())
    assert len({id(one) for one in errors}) == 8 - is_cancelled
    assert {str(one) for one in errors} == {str(errors[0])}
    assert len(aws.requests) == 1


def test_two_sessions_that_wait_for_each_other():
    began, sessions = [], []

    def token_of(number):
        async def token():
            began.append(number)
            await until(lambda: len(began) == 2)
            return (await (await sessions[number].get_credentials()).get_frozen_credentials()).token

        return token

    sessions += [session_of(token_of(1)), session_of(token_of(0))]

    async def main():
        found = [await one.get_credentials() for one in sessions]
        tasks = [one.get_frozen_credentials() for one in found]
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    assert [type(one) for one in asyncio.run(main())] == [ConfigurationError] * 2
