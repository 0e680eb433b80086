"""Coroutine functions as callables: they need an event loop that waits for the credentials."""

import asyncio
import contextvars
import threading

import pytest

from botocore_ext import FetchError, Session, from_temporary_credentials, from_web_token
from botocore_ext.runtime import awaiting
from tests import fakes
from tests.refresh.test_refresh import ROLE

CANNOT_WAIT = (
    "returned a coroutine, which a synchronous session cannot await: pass a plain function, or "
    "use a session of aiobotocore"
)


async def until(condition):
    """Wait for what another thread does, which may set no event of asyncio's."""
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    pytest.fail("the condition did not come true")


async def token():
    return await asyncio.sleep(0, fakes.secret("token"))


def asked(loop, coroutine):
    """Wait for a coroutine as a thread does that fetches credentials for ``loop``."""
    context = contextvars.copy_context()
    context.run(awaiting.waiting_loop.set, loop)
    return context.run(awaiting.result_of, coroutine, "custom-web-token", "get_token")


async def in_thread(function):
    return await asyncio.to_thread(asked, asyncio.get_running_loop(), function())


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(awaiting, "_CHECK_INTERVAL", 0.01)


def test_synchronous_session_cannot_await():
    """And leaves no coroutine behind, of which Python would warn."""
    web = from_web_token(role_arn=ROLE, web_identity_token=token)
    with pytest.raises(FetchError, match=f"the source of web_identity_token {CANNOT_WAIT}"):
        web.load().get_frozen_credentials()
    with pytest.raises(FetchError, match=f"token {CANNOT_WAIT}"):
        Session(credentials=token).get_credentials()
    assumed = from_web_token(
        role_arn=ROLE,
        web_identity_token="token",
        role_assumer_with_web_identity=lambda _: token(),
    )
    with pytest.raises(FetchError, match=f"role_assumer_with_web_identity {CANNOT_WAIT}"):
        assumed.load().get_frozen_credentials()


@pytest.mark.usefixtures("aws")
def test_so_does_a_role_with_a_code():
    role = from_temporary_credentials(
        params={"RoleArn": ROLE, "SerialNumber": "arn:aws:iam::123456789012:mfa/me"},
        master_credentials=lambda: {"AccessKeyId": "AKIA", "SecretAccessKey": "s"},
        mfa_code_provider=lambda _: token(),
    )
    with pytest.raises(FetchError, match=f"mfa_code_provider {CANNOT_WAIT}"):
        role.load().get_frozen_credentials()


def test_the_waiting_event_loop_awaits_it():
    async def where():
        return asyncio.get_running_loop()

    async def main():
        return await in_thread(where) is asyncio.get_running_loop()

    assert asyncio.run(main())


def test_other_awaitables_are_awaited_too():
    class Soon:
        def __await__(self):
            return asyncio.sleep(0, "token").__await__()

    assert asyncio.run(in_thread(Soon)) == "token"
    with pytest.raises(FetchError, match=CANNOT_WAIT):
        awaiting.result_of(Soon(), "custom-web-token", "get_token")


def test_what_it_raises_passes_unchanged():
    async def broken():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(in_thread(broken))


def test_it_may_take_its_time():
    async def slow():
        return await asyncio.sleep(0.1, "token")

    assert asyncio.run(in_thread(slow)) == "token"


def test_an_event_loop_cannot_wait_for_itself():
    async def main():
        return asked(asyncio.get_running_loop(), token())

    with pytest.raises(FetchError, match=CANNOT_WAIT):
        asyncio.run(main())


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_an_event_loop_that_ends_is_not_waited_for(is_cancelled):
    loop, began = asyncio.new_event_loop(), threading.Event()
    raised = []

    async def for_ever():
        began.set()
        await asyncio.Event().wait()

    def wait():
        with pytest.raises(FetchError, match="stopped before get_token returned") as caught:
            asked(loop, for_ever())
        raised.append(caught)

    async def main():
        await until(began.is_set)
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        if is_cancelled:
            task.cancel()
            await asyncio.wait([task])
        return task

    thread = threading.Thread(target=wait)
    thread.start()
    task = loop.run_until_complete(main())
    loop.close()
    thread.join()
    task._log_destroy_pending = False  # asyncio would say that it was left alone, as it was
    assert raised


def test_neither_is_one_that_has_ended():
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(FetchError, match="stopped before get_token returned"):
        asked(loop, token())


def test_stopped_loop_blocks_no_other(aws):
    """It was stopped, and not closed, while it owed a token."""
    still, asked_for = asyncio.new_event_loop(), threading.Event()

    async def token():
        if not asked_for.is_set():
            asked_for.set()
            await asyncio.Event().wait()
        return fakes.secret("token")

    credentials, errors = from_web_token(role_arn=ROLE, web_identity_token=token).load(), []

    def use(loop):
        context = contextvars.copy_context()
        context.run(awaiting.waiting_loop.set, loop)
        return context.run(credentials.get_frozen_credentials)

    def fails():
        with pytest.raises(FetchError, match="stopped before .* returned") as raised:
            use(still)
        errors.append(raised.value)

    async def other():
        return await asyncio.to_thread(use, asyncio.get_running_loop())

    thread = threading.Thread(target=fails)
    thread.start()
    still.run_until_complete(until(asked_for.is_set))
    assert asyncio.run(other()).access_key == aws.requests[0].gave
    thread.join()
    assert errors
    still.run_until_complete(asyncio.sleep(0.01))  # the coroutine is cancelled
    still.close()


def test_loop_that_stops_for_a_moment_is_waited_for():
    loop, go_on, found = asyncio.new_event_loop(), [], []

    async def slow():
        await until(lambda: go_on)
        return "token"

    thread = threading.Thread(target=lambda: found.append(asked(loop, slow())))
    thread.start()
    for _ in range(5):
        loop.run_until_complete(asyncio.sleep(0.005))
    go_on.append(1)
    loop.run_until_complete(until(lambda: found))
    thread.join()
    loop.close()
    assert found == ["token"]
