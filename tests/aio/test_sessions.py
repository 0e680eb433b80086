"""Sessions of aiobotocore: what is ours is as in others, and blocks no event loop."""

import asyncio
import gc
import importlib
import inspect
import io
import sys
import threading
import time
from datetime import datetime, timezone
from functools import partial
from itertools import count
from pathlib import Path
from typing import ClassVar

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.credentials import Credentials, EnvProvider, RefreshableCredentials
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    NotConfigured,
    ProviderCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity_pool,
    from_env,
    from_temporary_credentials,
    from_web_token,
)
from botocore_ext.providers import cognito
from botocore_ext.providers.function import FunctionProvider
from tests import fakes
from tests.parity import cases
from tests.refresh.test_refresh import CREDENTIALS_NAMES, public_names, together
from tests.runtime.test_awaiting import until
from tests.runtime.test_fork import in_child
from tests.session import test_inert
from tests.test_cases import CASES

aiobotocore = pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
theirs = pytest.importorskip("aiobotocore.session")
aio_types = pytest.importorskip("aiobotocore.credentials")
aio = pytest.importorskip("botocore_ext.aio")
aio_credentials = pytest.importorskip("botocore_ext.aio.credentials")
aio_providers = pytest.importorskip("botocore_ext.aio.resolver")
aio_tasks = pytest.importorskip("botocore_ext.aio.tasks")

pytestmark = pytest.mark.caller_signs

ROLE = "arn:aws:iam::123456789012:role/Web"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
MOBILE = f"[profile mobile]\nregion = eu-west-1\ncognito_identity_pool_id = {POOL}\n"
ROLE_ON_POOL = f"""
[profile app]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/App
source_profile = mobile
{MOBILE}"""


async def who(session, **arguments):
    """Make a signed request."""
    async with session.create_client("sts", region_name="eu-west-1", **arguments) as client:
        return (await client.get_caller_identity())["Arn"]


async def frozen(session):
    return await (await session.get_credentials()).get_frozen_credentials()


def methods(session):
    return [one.METHOD for one in session.get_component("credential_provider").providers]


@pytest.fixture
def mobile(config):
    """A session of a profile with a Cognito pool."""
    config(MOBILE)
    botocore_ext.install()
    return theirs.AioSession(profile="mobile")


def signed_with(request):
    return request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]


def test_aiobotocore_has_what_we_lean_on():
    """The bound on its versions, as tests/test_botocore_seams.py is of botocore's."""
    for name in ("get_credentials", "_create_credential_resolver"):
        assert callable(getattr(theirs.AioSession, name))
    assert inspect.iscoroutinefunction(theirs.AioSession.get_credentials)
    assert inspect.iscoroutinefunction(aio_types.AioCredentialResolver.load_credentials)
    assert inspect.iscoroutinefunction(aio_types.AioCredentials.get_frozen_credentials)
    assert issubclass(aio_types.AioRefreshableCredentials, RefreshableCredentials)
    signature = inspect.signature(theirs.AioSession.__init__)
    assert list(signature.parameters)[1:5] == [
        "session_vars", "event_hooks", "include_builtin_handlers", "profile",
    ]  # fmt: skip


def test_client_signs_with_the_credentials_of_a_profile(mobile, aws):
    assert "assumed-role" in asyncio.run(who(mobile))
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "GetCallerIdentity"]
    assert signed_with(aws.requests[2]) == aws.requests[1].gave


def test_dir_of_credentials_shows_users_names(config):
    """As tests/refresh/test_refresh.py has it."""
    config(ROLE_ON_POOL)
    botocore_ext.install()
    session = theirs.AioSession(profile="mobile")
    botocores = aio_types.AioRefreshableCredentials("", "", None, None, None, "custom")
    found = public_names(asyncio.run(session.get_credentials())) - public_names(botocores)
    assert found == set(CREDENTIALS_NAMES)


@pytest.mark.parametrize(("profile", "lifetime"), [("mobile", 3600), ("app", 600)])
def test_third_party_programs_see_the_expiry(profile, lifetime, config, aws):
    """As for synchronous sessions; botocore would take longer-lived credentials again."""
    config(ROLE_ON_POOL)
    botocore_ext.install()
    aws.lifetime = lifetime
    operation = "AssumeRole" if profile == "app" else "GetCredentialsForIdentity"

    async def main():
        credentials = await theirs.AioSession(profile=profile).get_credentials()
        assert (credentials._expiry_time, credentials._frozen_credentials) == (None, None)
        assert credentials._is_expired()
        first = await credentials.get_frozen_credentials()
        assert credentials._frozen_credentials == first
        assert credentials._expiry_time.timestamp() == pytest.approx(time.time() + lifetime, abs=5)
        assert credentials._seconds_remaining() == pytest.approx(lifetime, abs=5)
        assert not credentials._is_expired()
        await credentials._protected_refresh(is_mandatory=True)
        second = credentials._frozen_credentials
        credentials._expiry_time = datetime.fromtimestamp(0, timezone.utc)
        await credentials._refresh()
        third = credentials._frozen_credentials
        aws.always(operation, fakes.error("AccessDenied", status=403))
        await credentials._protected_refresh(is_mandatory=False)
        with pytest.raises(ClientError, match="AccessDenied"):
            await credentials._protected_refresh(is_mandatory=True)
        return first, second, third

    assert len(set(asyncio.run(main()))) == 3


class TestCases:
    """The cases of ``tests/cases`` that are profiles, in both kinds of session."""

    @pytest.fixture
    def aws(self):
        fake = cases.SteadyAws()
        yield fake
        fake.close()

    @pytest.fixture(autouse=True)
    def _own_url(self, aws, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        botocore_ext.install()

    @pytest.mark.parametrize("case", [one for one in CASES if "provider" not in one.values[0]])
    def test_both_come_to_the_same(self, case, world, aws, monkeypatch):
        case = cases.filled(case, cases.known_in(aws, world))
        seen = []
        for resolve in (synchronously, lambda profile: asyncio.run(resolved(profile))):
            aws.requests.clear()
            aws.scripts.clear()
            aws.identities = count(1)
            cognito.reset()
            cases.prepare(case, world, aws, monkeypatch)
            try:
                outcome = resolve(case.get("profile"))
            except Exception as error:  # noqa: BLE001 - every error must be the same
                outcome = type(error).__name__, test_inert.steady(str(error))
            seen.append((outcome, [shown(one) for one in aws.requests]))
        assert seen[0] == seen[1]


def synchronously(profile):
    credentials = boto3.Session(profile_name=profile).get_credentials()
    return credentials and (credentials.method, credentials.get_frozen_credentials())


async def resolved(profile):
    credentials = await theirs.AioSession(profile=profile).get_credentials()
    return credentials and (credentials.method, await credentials.get_frozen_credentials())


def shown(request):
    """Return what a request says, but for who sends it."""
    operation, parameters, headers, target = test_inert.shown_request(request)
    parameters.pop("RoleSessionName", None)
    for name in ("accept", "user-agent"):
        headers.pop(name, None)
    return operation, parameters, headers, target


def aiobotocores(session):
    """Return what of a session's resolver is aiobotocore's own."""
    kinds = [type(one) for one in session.get_component("credential_provider").providers]
    return [one for one in kinds if one.__module__ == aio_types.__name__]


class TestInert:
    """What does not use this package resolves as in aiobotocore alone."""

    PLAIN: ClassVar = {
        name: case
        for name, case in test_inert.CASES.items()
        if not name.startswith("metadata") and not case.get("session", {}).keys() - {"profile_name"}
    }

    @pytest.fixture
    def aws(self):
        fake, started = fakes.FakeAws(), fakes.time.time()
        fake.now = lambda: started
        yield fake
        fake.close()

    @pytest.fixture
    def runs(self, world, aws, monkeypatch, caplog):
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        return test_inert.Runs(world, aws, monkeypatch, caplog)

    @pytest.mark.parametrize("case", PLAIN.values(), ids=PLAIN)
    def test_a_session_resolves_the_same(self, case, runs):
        async def resolve():
            session = theirs.AioSession(profile=case.get("session", {}).get("profile_name"))
            credentials = await session.get_credentials()
            found = credentials and (credentials.method, await credentials.get_frozen_credentials())
            async with session.create_client("sts") as client:
                await client.get_caller_identity()
            return found, aiobotocores(session)

        runs.twice(lambda: asyncio.run(resolve()), **case)

    def test_provider_in_code_replaces_nothing_of_aiobotocore(self, config):
        config("[default]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = default\n")
        plain = aiobotocores(theirs.AioSession())
        botocore_ext.install(lambda: None)
        session = theirs.AioSession()
        assert methods(session)[0] == "custom-function"
        assert aiobotocores(session) == plain

    def test_session_without_settings_has_aiobotocores_resolver(self):
        botocore_ext.install()
        resolver = theirs.AioSession().get_component("credential_provider")
        assert type(resolver) is aio_types.AioCredentialResolver


class TestTheEventLoop:
    """It continues: the fake answers when it has."""

    @pytest.fixture
    def goes_on(self):
        """Whether the loop went on, each time that a thread waited for it."""
        self.went_on, self.ticked = [], threading.Event()
        return self.went_on

    def wait(self, *_):
        self.ticked.clear()
        self.went_on.append(self.ticked.wait(5))

    def run(self, main):
        async def with_ticks():
            ticking = asyncio.create_task(self.tick())
            try:
                return await main()
            finally:
                ticking.cancel()

        return asyncio.run(with_ticks())

    async def tick(self):
        while True:
            self.ticked.set()
            await asyncio.sleep(0.001)

    def test_during_a_first_fetch_and_a_refresh(self, mobile, aws, goes_on):
        aws.always("GetCredentialsForIdentity", self.wait)

        async def main():
            credentials = await mobile.get_credentials()
            await credentials.get_frozen_credentials()
            await credentials.refresh()

        self.run(main)
        assert goes_on == [True, True]

    def test_while_a_function_is_called(self, goes_on):
        session = aio.AioSession(credentials=lambda: self.wait() or FrozenCredentials("AKIA", "s"))
        assert self.run(partial(frozen, session)).access_key == "AKIA"
        assert goes_on == [True]

    def test_while_a_role_is_assumed(self, config, aws, goes_on):
        config(ROLE_ON_POOL)
        botocore_ext.install()
        aws.always("AssumeRole", self.wait)
        assert self.run(partial(frozen, theirs.AioSession(profile="app"))).access_key
        assert goes_on == [True]

    def test_while_a_rejected_request_gets_new_credentials(self, mobile, aws, goes_on):
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
        aws.script("GetCredentialsForIdentity", None, self.wait)
        self.run(partial(who, mobile))
        assert goes_on == [True]


def delayed_role(asked, released, time):
    """Return a role of botocore's whose next credentials come only after they are released."""

    def refresh():
        asked.set()
        released.wait(10)
        keys = {"access_key": "AKIANEW", "secret_key": "s", "token": "t"}
        return {**keys, "expiry_time": time.at(3600).isoformat()}

    role = RefreshableCredentials(
        "AKIAOLD", "s", "t", time.at(3600), refresh, "assume-role", lambda: time.at(0)
    )
    return aio_credentials.to_async(role)


class TestTasks:
    """Any number of them share one fetch."""

    @pytest.fixture
    def provider(self, clock, aws):
        aws.now = clock.now
        token = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
        return token.bind(Scope(clock=clock))

    @pytest.fixture
    def credentials(self, provider):
        return aio_credentials.to_async(provider.load())

    def delayed(self, aws, operation="AssumeRoleWithWebIdentity"):
        """Delay the next answer until it is released, and say when it was requested."""
        asked, released = threading.Event(), threading.Event()

        def answer(_):
            asked.set()
            released.wait(10)

        aws.script(operation, answer)
        return asked, released

    def test_share_a_first_fetch(self, mobile, aws):
        async def main():
            return await asyncio.gather(*[frozen(mobile) for _ in range(64)])

        assert len(set(asyncio.run(main()))) == 1
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    def test_go_on_in_the_advisory_window_while_one_refreshes(self, credentials, clock, aws):
        async def main():
            old = await credentials.get_frozen_credentials()
            clock.advance(3600 - 200)
            asked, released = self.delayed(aws)
            first = asyncio.create_task(credentials.get_frozen_credentials())
            await asyncio.to_thread(asked.wait)
            others = await asyncio.gather(*[credentials.get_frozen_credentials() for _ in range(9)])
            released.set()
            return old, others, await first

        old, others, new = asyncio.run(main())
        assert set(others) == {old}
        assert new != old
        assert len(aws.requests) == 2

    def test_wait_in_the_mandatory_window(self, credentials, clock, aws):
        async def main():
            old = await credentials.get_frozen_credentials()
            clock.advance(3600 - 30)
            found = await asyncio.gather(*[credentials.get_frozen_credentials() for _ in range(9)])
            return old, found

        old, found = asyncio.run(main())
        assert len({old, *found}) == 2
        assert old not in found
        assert len(aws.requests) == 2

    def test_wait_after_a_failure_makes_no_call(self, credentials, clock, aws):
        async def main():
            old = await credentials.get_frozen_credentials()
            clock.advance(3600 - 200)
            aws.script("AssumeRoleWithWebIdentity", fakes.error("InternalFailure"))
            return {old, *[await credentials.get_frozen_credentials() for _ in range(5)]}

        assert len(asyncio.run(main())) == 1
        assert len(aws.requests) == 2
        assert isinstance(credentials.last_error, ClientError)

    def test_cancelled_task_does_not_cancel_the_fetch(self, credentials, aws):
        async def main():
            asked, released = self.delayed(aws)
            first = asyncio.create_task(credentials.get_frozen_credentials())
            second = asyncio.create_task(credentials.get_frozen_credentials())
            await asyncio.to_thread(asked.wait)
            first.cancel()
            await asyncio.sleep(0)
            released.set()
            return await second, first.cancelled()

        keys, is_cancelled = asyncio.run(main())
        assert is_cancelled
        assert keys.access_key == aws.requests[0].gave
        assert len(aws.requests) == 1

    def test_failure_without_a_waiter_logs_nothing(self, credentials, aws, caplog):
        async def main():
            released = threading.Event()
            refusal = fakes.error("AccessDenied")
            delayed = lambda request: released.wait(10) and refusal(request)  # noqa: E731 - one idea
            aws.script("AssumeRoleWithWebIdentity", delayed)
            task = asyncio.create_task(credentials.get_frozen_credentials())
            await until(lambda: aws.requests)
            task.cancel()
            released.set()
            await until(lambda: credentials.last_error)
            await asyncio.sleep(0.01)

        asyncio.run(main())
        gc.collect()
        assert not [one for one in caplog.records if one.name == "asyncio" and one.levelno > 20]

    def test_thread_without_a_waiter_may_end(self):
        released, threads = threading.Event(), []

        def work():
            threads.append(threading.current_thread())
            released.wait(10)

        async def main():
            task = asyncio.create_task(aio_tasks.in_thread(work))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            released.set()
            await until(lambda: threads)
            threads[0].join(30)
            await asyncio.sleep(0)  # what the thread has left for the event loop
            return task.cancelled()

        assert asyncio.run(main())

    def test_a_refresh_on_demand_raises_its_error(self, credentials, aws):
        async def main():
            keys = await credentials.get_frozen_credentials()
            aws.script("AssumeRoleWithWebIdentity", fakes.error("InternalFailure"))
            with pytest.raises(ClientError, match="InternalFailure"):
                await credentials.refresh()
            return keys, await credentials.get_frozen_credentials()

        old, kept = asyncio.run(main())
        assert old == kept

    def test_an_event_loop_that_ends_waits_for_no_fetch(self, credentials, aws):
        asked, released = self.delayed(aws)

        async def main():
            asyncio.create_task(credentials.get_frozen_credentials())  # noqa: RUF006 - left alone
            await until(asked.is_set)

        asyncio.run(main())
        released.set()
        assert asyncio.run(credentials.get_frozen_credentials()).access_key
        assert len(aws.requests) == 1

    def test_credentials_invalidated_meanwhile_are_not_shared(self, credentials, aws):
        async def main():
            asked, released = self.delayed(aws)
            first = asyncio.create_task(credentials.get_frozen_credentials())
            await asyncio.to_thread(asked.wait)
            credentials.invalidate()
            second = asyncio.create_task(credentials.get_frozen_credentials())
            await until(lambda: len(aws.requests) == 2)
            released.set()
            return await first, await second

        first, second = asyncio.run(main())
        keys = [first.access_key, second.access_key]
        assert keys == [one.gave for one in aws.requests]  # each had come before its fetch began

    def test_credentials_from_before_an_invalidation_do_not_count(self, credentials, aws):
        """The thread has them, and the event loop, which was busy, does not know yet."""

        async def main():
            first = asyncio.create_task(credentials.get_frozen_credentials())
            await asyncio.sleep(0.001)
            assert fakes.comes_true(lambda: credentials.expiration is not None)
            credentials.invalidate()
            return await credentials.get_frozen_credentials(), await first

        new, old = asyncio.run(main())
        assert (old.access_key, new.access_key) == tuple(one.gave for one in aws.requests)

    def test_a_role_of_botocores_own_on_top(self, config, aws):
        config(ROLE_ON_POOL)
        botocore_ext.install()
        session = theirs.AioSession(profile="app")

        async def main():
            credentials = await session.get_credentials()
            found = await asyncio.gather(*[credentials.get_frozen_credentials() for _ in range(9)])
            assert not credentials.refresh_needed()
            again = await credentials.get_frozen_credentials()
            assert list(again) == [
                await credentials.get_access_key(),
                await credentials.get_secret_key(),
                await credentials.get_token(),
                await credentials.get_account_id(),
            ]
            return {*found, again}

        assert len(asyncio.run(main())) == 1
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "AssumeRole"]

    @pytest.mark.parametrize(("left", "others"), [(700, "AKIAOLD"), (500, "AKIANEW")])
    def test_role_stays_in_use_while_it_is_refreshed(self, left, others):
        asked, released, time = threading.Event(), threading.Event(), fakes.FakeClock()
        credentials = delayed_role(asked, released, time)

        async def main():
            assert await credentials.get_access_key() == "AKIAOLD"
            time.advance(3600 - left)
            first = asyncio.create_task(credentials.get_access_key())
            await until(asked.is_set)
            second = asyncio.create_task(credentials.get_access_key())
            await asyncio.sleep(0.05)  # time enough to be served, or to wait for the first
            is_served = second.done()
            released.set()
            return is_served, await first, await second

        assert asyncio.run(main()) == (others == "AKIAOLD", "AKIANEW", others)

    def test_static_credentials_keep_all_fields(self):
        given = Credentials("AKIASTATIC", "s", "t", method="mine", account_id="123456789012")
        credentials = aio_credentials.to_async(given)
        assert asyncio.run(credentials.get_frozen_credentials()) == given.get_frozen_credentials()
        assert credentials.method == "mine"

    def test_event_loop_that_ends_loses_no_role_credentials(self):
        """Else a later one would sign with the old ones as long as the new ones are good."""
        asked, released, time = threading.Event(), threading.Event(), fakes.FakeClock()
        credentials = delayed_role(asked, released, time)
        assert asyncio.run(credentials.get_access_key()) == "AKIAOLD"
        time.advance(3000)

        async def ends():
            asyncio.create_task(credentials.get_access_key())  # noqa: RUF006 - left alone
            await until(asked.is_set)

        before = set(threading.enumerate())
        asyncio.run(ends())
        (thread,) = set(threading.enumerate()) - before
        released.set()
        thread.join(30)
        assert asyncio.run(credentials.get_access_key()) == "AKIANEW"


class TestCoroutines:
    """A token may be awaited, on the event loop that asks for the credentials."""

    def test_of_a_token_and_a_login(self, aws):
        loops = []

        async def token():
            loops.append(asyncio.get_running_loop())
            # The loop's own threads are free for it, however many wait.
            return await asyncio.to_thread(fakes.secret, "token")

        pool = from_cognito_identity_pool(identity_pool_id=POOL, logins={"example.com": token})
        web = from_web_token(role_arn=ROLE, web_identity_token=token)

        async def main():
            sessions = [aio.AioSession(credentials=one) for one in (pool, web)]
            await asyncio.gather(*[frozen(one) for one in sessions for _ in range(64)])
            return asyncio.get_running_loop()

        loop = asyncio.run(main())
        assert loops == [loop, loop]
        assert sorted(aws.operations()) == [
            "AssumeRoleWithWebIdentity", "GetCredentialsForIdentity", "GetId",
        ]  # fmt: skip

    def test_of_all_other_callables(self, aws):
        async def keys():
            return FrozenCredentials("AKIAMASTER", fakes.secret())

        async def code(serial):
            return "123456"

        async def assume(parameters):
            return FrozenCredentials("AKIAASSUMED", fakes.secret())

        role = from_temporary_credentials(
            params={"RoleArn": ROLE, "SerialNumber": "arn:aws:iam::123456789012:mfa/me"},
            master_credentials=keys,
            mfa_code_provider=code,
        )
        asyncio.run(frozen(aio.AioSession(credentials=role)))
        assert aws.requests[0].parameters["TokenCode"] == "123456"
        assert signed_with(aws.requests[0]) == "AKIAMASTER"
        web = from_web_token(
            role_arn=ROLE, web_identity_token="token", role_assumer_with_web_identity=assume
        )
        found = asyncio.run(frozen(aio.AioSession(credentials=create_credential_chain(web))))
        assert found.access_key == "AKIAASSUMED"
        assert asyncio.run(frozen(aio.AioSession(credentials=keys))).access_key == "AKIAMASTER"

    def test_one_may_give_the_credentials_of_another_session(self, aws):
        other = aio.AioSession(credentials=from_cognito_identity_pool(identity_pool_id=POOL))
        found = asyncio.run(frozen(aio.AioSession(credentials=other.get_credentials)))
        assert found == asyncio.run(frozen(other))
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    def test_synchronous_session_cannot_await_aio_credentials(self):
        theirs = aio_types.AioCredentials("AKIA", fakes.secret())
        with pytest.raises(FetchError, match="AioCredentials.* returned a coroutine"):
            botocore_ext.Session(credentials=lambda: theirs).get_credentials()

    def test_what_it_raises_passes_unchanged(self):
        async def token():
            raise LookupError("mine")

        web = from_web_token(role_arn=ROLE, web_identity_token=token)
        with pytest.raises(LookupError, match="mine"):
            asyncio.run(frozen(aio.AioSession(credentials=web)))

    def test_one_that_waits_for_its_own_credentials_is_an_error(self):
        async def token():
            return (await frozen(session)).access_key

        web = from_web_token(role_arn=ROLE, web_identity_token=token)
        session = aio.AioSession(credentials=web)
        with pytest.raises(ConfigurationError, match="use a separate session or client"):
            asyncio.run(frozen(session))

    def test_one_may_use_its_own_unexpired_credentials(self, aws):
        used = []

        async def token():
            if used:
                used.append(await frozen(session))
            return fakes.secret("token")

        session = aio.AioSession(
            credentials=from_web_token(role_arn=ROLE, web_identity_token=token)
        )
        keys = asyncio.run(frozen(session))
        used.append(keys)

        async def main():
            await (await session.get_credentials()).refresh()

        asyncio.run(main())
        assert used == [keys, keys]

    def test_one_never_gets_credentials_of_a_previous_token(self, clock):
        """Though the thread that fetched these was the last to come back."""
        signed = []

        async def keys():
            if user == "carol":
                signed.append(await credentials.get_access_key())
            return FrozenCredentials(user, "secret", None, clock.at(3600))

        provider = FunctionProvider(function=keys).bind(Scope(clock=clock))
        user, synchronous = "alice", ProviderCredentials(provider)
        credentials = aio_credentials.to_async(synchronous)
        fetch = synchronous.get_frozen_credentials

        def late():
            nonlocal user
            fetched = fetch()
            if user == "alice":
                user = "bob"
                synchronous._start_with(None)
                asyncio.run(credentials.get_frozen_credentials())
            return fetched

        synchronous.get_frozen_credentials = late
        asyncio.run(credentials.get_frozen_credentials())
        user = "carol"
        clock.advance(3590)
        assert asyncio.run(credentials.get_access_key()) == "carol"
        assert signed == ["bob"]

    def test_third_party_refreshable_credentials_are_the_same(self, clock):
        used = []

        def refresh():
            own = asyncio.run_coroutine_threadsafe(credentials.get_access_key(), loop)
            used.append(own.result(30))
            end = clock.at(3600).isoformat()
            return {"access_key": "NEW", "secret_key": "s", "token": "t", "expiry_time": end}

        synchronous = RefreshableCredentials(
            "OLD", "s", "t", clock.at(3600), refresh, "theirs", time_fetcher=lambda: clock.at(0)
        )
        credentials = aio_credentials.to_async(synchronous)
        assert asyncio.run(credentials.get_access_key()) == "OLD"
        clock.advance(3500)

        async def main():
            nonlocal loop
            loop = asyncio.get_running_loop()
            return await credentials.get_access_key()

        loop = None
        assert asyncio.run(main()) == "NEW"
        assert used == ["OLD"]

    def test_one_that_needs_its_own_session_is_an_error(self):
        async def keys():
            return await who(session)

        session = aio.AioSession(credentials=keys)
        with pytest.raises(ConfigurationError, match="depends on itself"):
            asyncio.run(frozen(session))

    def test_one_that_invalidates_its_credentials_ends(self):
        async def token():
            web.invalidate()
            return (await frozen(session)).access_key

        web = from_web_token(role_arn=ROLE, web_identity_token=token)
        session = aio.AioSession(credentials=web)
        with pytest.raises(ConfigurationError, match="depends on itself"):
            asyncio.run(frozen(session))


class TestEventLoops:
    """One after the other, several at once, and in a forked child."""

    def test_in_turn(self, mobile, aws):
        assert asyncio.run(who(mobile)) == asyncio.run(who(mobile))
        assert aws.operations()[2:] == ["GetCallerIdentity"] * 2

    def test_a_refresh_in_another_loop(self, mobile, aws):
        credentials = asyncio.run(mobile.get_credentials())
        first = asyncio.run(credentials.get_frozen_credentials())
        asyncio.run(credentials.refresh())
        assert asyncio.run(credentials.get_frozen_credentials()) != first

    def test_in_several_threads(self, mobile, aws):
        aws.delay = 0.05
        found = together(8, lambda: asyncio.run(frozen(mobile)))
        assert len(set(found)) == 1
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    @pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
    def test_in_a_forked_child(self, mobile, aws):
        keys = asyncio.run(frozen(mobile))
        assert in_child(lambda: asyncio.run(frozen(mobile)).access_key) == keys.access_key

        async def refreshed():
            credentials = await mobile.get_credentials()
            await credentials.refresh()
            return await credentials.get_access_key()

        assert in_child(lambda: asyncio.run(refreshed())) == aws.requests[-1].gave
        assert asyncio.run(frozen(mobile)) == keys


class TestSessions:
    def test_the_identity_is_the_one_that_cognito_answers(self, aws):
        """The identity of a guest who signs in is merged into the user's."""
        pool = from_cognito_identity_pool(identity_pool_id=POOL)
        session = aio.AioSession(credentials=pool)
        merged = "us-east-1:00000000-0000-0000-0000-00000000beef"

        def answer(request):
            request.parameters = {"IdentityId": merged}
            return aws.cognito(request)

        aws.script("GetCredentialsForIdentity", answer)
        asyncio.run(frozen(session))
        credentials = asyncio.run(session.get_credentials())
        assert credentials.identity_id == pool.identity_id == merged
        asyncio.run(credentials.refresh())
        assert aws.requests[-1].parameters["IdentityId"] == merged

    def test_wrong_mfa_code_is_not_remembered(self, aws):
        codes = ["111111", "222222"]

        async def ask(_):
            return codes.pop(0)

        role = from_temporary_credentials(
            params={"RoleArn": ROLE, "SerialNumber": "arn:aws:iam::123456789012:mfa/me"},
            master_credentials=lambda: FrozenCredentials("AKIAMASTER", "secret"),
            mfa_code_provider=ask,
        )
        session = aio.AioSession(credentials=role)
        message = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
        aws.script("AssumeRole", fakes.error("AccessDenied", 403, message))
        with pytest.raises(ClientError, match="MultiFactorAuthentication failed"):
            asyncio.run(frozen(session))
        assert asyncio.run(frozen(session)).access_key == aws.requests[-1].gave
        assert not codes

    def test_one_provider_and_nothing_else(self, monkeypatch, aws):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        pool = from_cognito_identity_pool(identity_pool_id=POOL)
        session = aio.AioSession(credentials=pool)
        asyncio.run(who(session))
        assert signed_with(aws.requests[2]) == aws.requests[1].gave
        credentials = asyncio.run(session.get_credentials())
        assert credentials.method == "custom-cognito-identity-pool"
        assert credentials.identity_id == pool.identity_id
        assert not credentials.expired
        assert credentials.expiration
        for nothing in (from_cognito_identity_pool, lambda: None):
            source = nothing() if nothing is from_cognito_identity_pool else nothing
            with pytest.raises((NotConfigured, ConfigurationError)):
                asyncio.run(frozen(aio.AioSession(credentials=source)))

    def test_providers_of_botocore_and_of_aiobotocore(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        for source in (EnvProvider(), aio_types.AioEnvProvider(), from_env()):
            credentials = asyncio.run(aio.AioSession(credentials=source).get_credentials())
            assert credentials.method == "env"
            assert asyncio.run(credentials.get_frozen_credentials()).access_key == "AKIAENV"

    def test_without_credentials_it_reads_profile_settings(self, config, aws):
        config(MOBILE)
        session = aio.AioSession(profile="mobile")
        assert asyncio.run(session.get_credentials()).method == "custom-cognito-identity-pool"

    def test_extend_and_install(self, config, aws):
        config(MOBILE)
        older = theirs.AioSession(profile="mobile")
        plain = methods(older)
        botocore_ext.extend(older)
        botocore_ext.extend(older, lambda: None)
        assert methods(older)[0] == "custom-function"
        assert [one for one in methods(older) if one in plain] == plain
        assert asyncio.run(older.get_credentials()).method == "custom-cognito-identity-pool"
        with pytest.warns(UserWarning, match="custom-cognito-identity-pool"):
            botocore_ext.extend(older)

    def test_extend_keeps_third_party_providers(self, config, aws):
        config(MOBILE)
        session = theirs.AioSession(profile="mobile")
        resolver = session.get_component("credential_provider")
        own = aio_types.AioEnvProvider()
        resolver.providers.insert(0, own)
        botocore_ext.extend(session)
        botocore_ext.extend(session)
        assert session.get_component("credential_provider") is resolver
        assert resolver.providers[0] is own
        assert methods(session).count("custom-http") == 1
        assert asyncio.run(session.get_credentials()).method == "custom-cognito-identity-pool"

    def test_a_session_class_with_a_resolver_of_its_own_keeps_it(self, config):
        class Resolver(aio_types.AioCredentialResolver):
            """A class of a user."""

        class Subclass(theirs.AioSession):
            def _create_credential_resolver(self):
                return Resolver(super()._create_credential_resolver().providers)

        config(MOBILE)
        botocore_ext.install()
        session = Subclass(profile="mobile")
        assert isinstance(session.get_component("credential_provider"), Resolver)
        assert "custom-http" in methods(session)

    def test_a_resolver_of_another_kind_stays_as_it_is(self, config):
        class Resolver:
            """It has no list of providers."""

            async def load_credentials(self):
                return aio_types.AioCredentials("AKIAOTHER", "secret")

        class Subclass(theirs.AioSession):
            def _create_credential_resolver(self):
                return Resolver()

        config(MOBILE)
        botocore_ext.install()
        found = asyncio.run(Subclass(profile="mobile").get_credentials())
        assert found.access_key == "AKIAOTHER"

    def test_a_resolver_that_an_initializer_registered_stays(self, config):
        resolver = aio_types.AioCredentialResolver([aio_types.AioEnvProvider()])

        def initialize(session):
            session.register_component("credential_provider", resolver)

        botocore.register_initializer(initialize)
        try:
            config(MOBILE)
            botocore_ext.install()
            session = theirs.AioSession(profile="mobile")
        finally:
            botocore.unregister_initializer(initialize)
        assert session.get_component("credential_provider") is resolver
        assert "custom-http" in methods(session)
        assert asyncio.run(session.get_credentials()).method == "custom-cognito-identity-pool"

    def test_the_roles_cache_can_still_be_set(self, config, aws):
        config(ROLE_ON_POOL)
        botocore_ext.install()
        for _ in range(2):
            session = theirs.AioSession(profile="app")
            role = session.get_component("credential_provider").get_provider("assume-role")
            role.cache = self.__dict__.setdefault("cache", {})
            assert role.cache is self.cache
            asyncio.run(frozen(session))
        assert aws.operations().count("AssumeRole") == 1

    def test_inner_clients_are_configured_as_the_session(self, config, aws):
        config(MOBILE)
        session = aio.AioSession(profile="mobile")
        session.set_default_client_config(
            pytest.importorskip("aiobotocore.config").AioConfig(user_agent_extra="md/mine")
        )
        session.set_config_variable("region", "eu-central-1")
        asyncio.run(frozen(session))
        agent = aws.requests[0].headers["User-Agent"]
        assert agent.startswith(f"aiobotocore/{aiobotocore.__version__}")
        assert "md/mine" in agent

    def test_the_region_of_the_first_client_is_that_of_inner_ones(self, aws, monkeypatch):
        web = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
        session = aio.AioSession(credentials=web)
        asyncio.run(who(session))
        assert "/eu-west-1/" in aws.requests[1].headers["Authorization"]
        credentials = asyncio.run(session.get_credentials())
        assert credentials._credentials._provider.scope.region(None) == "eu-west-1"

    def test_user_agent_has_the_source_of_credentials(self, aws):
        web = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
        session = aio.AioSession(credentials=web)

        async def main():
            async with session.create_client("sts", region_name="eu-west-1") as client:
                await asyncio.gather(*[client.get_caller_identity() for _ in range(3)])
                await client.get_caller_identity()  # with credentials that are at hand

        asyncio.run(main())
        assert len(aws.requests) == 5
        for request in aws.requests[1:]:
            features = request.headers["User-Agent"].partition(" m/")[2].split()[0].split(",")
            assert "k" in features


def outcomes(session):
    """Return the providers that ``explain`` calls configured, with their outcomes."""
    return [
        (step.provider, step.outcome.value, step.reason)
        for step in botocore_ext.explain(session).steps
        if step.outcome.value != "not configured"
    ]


class TestExplain:
    """``explain`` tries what a synchronous session would, whether the resolver is in use or not."""

    @pytest.fixture(params=["new", "used"])
    def used(self, request):
        return request.param == "used"

    @pytest.mark.parametrize("profile", ["mobile", "app"])
    def test_it_finds_the_credentials_of_a_profile(self, profile, used, config, aws):
        config(ROLE_ON_POOL)
        botocore_ext.install()
        session = theirs.AioSession(profile=profile)
        if used:
            asyncio.run(frozen(session))
        method = {"mobile": "custom-cognito-identity-pool", "app": "assume-role"}[profile]
        assert outcomes(session) == [(method, "found", "")]

    def test_it_tries_the_providers_from_code(self, used, config):
        session = theirs.AioSession()
        botocore_ext.extend(session, lambda: FrozenCredentials("AKIACODE", "secret"))
        if used:
            asyncio.run(frozen(session))
        assert outcomes(session) == [("custom-function", "found", "")]

    def test_it_tries_the_only_provider(self, used, config):
        config(MOBILE)
        session = aio.AioSession(
            profile="mobile", credentials=lambda: FrozenCredentials("AKIACODE", "secret")
        )
        if used:
            asyncio.run(frozen(session))
        assert outcomes(session) == [("custom-function", "found", "")]
        assert "install()" not in str(botocore_ext.explain(session))

    def test_explicit_credentials_are_found(self):
        session = theirs.AioSession()
        session.set_credentials("AKIAGIVEN", "secret")
        assert outcomes(session) == [("explicit", "found", "passed in code")]
        assert botocore_ext.explain(session).found.access_key.endswith("IVEN")

    def test_one_provider_alone_that_has_nothing_ends_it(self, used):
        session = aio.AioSession(credentials=lambda: None)
        if used:
            session.get_component("credential_provider")
        ((provider, outcome, reason),) = outcomes(session)
        assert (provider, outcome) == ("custom-function", "failed")
        assert reason.startswith("this session takes credentials from this provider only")


class TestRejections:
    def test_request_is_sent_again_with_new_credentials(self, mobile, aws):
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
        asyncio.run(who(mobile, config=Config(retries={"max_attempts": 0})))
        assert aws.operations()[2:] == [
            "GetCallerIdentity", "GetCredentialsForIdentity", "GetCallerIdentity",
        ]  # fmt: skip
        assert signed_with(aws.requests[4]) == aws.requests[3].gave

    def test_once(self, mobile, aws):
        aws.always("GetCallerIdentity", fakes.error("ExpiredToken"))
        with pytest.raises(ClientError, match="ExpiredToken"):
            asyncio.run(who(mobile))
        assert aws.operations().count("GetCallerIdentity") == 2

    def test_not_without_new_credentials(self, mobile, aws):
        aws.script("GetCallerIdentity", fakes.error("ExpiredToken"))
        aws.script("GetCredentialsForIdentity", None, fakes.error("NotAuthorizedException"))
        aws.script("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
        with pytest.raises(ClientError, match="ExpiredToken"):
            asyncio.run(who(mobile))
        assert aws.operations().count("GetCallerIdentity") == 1

    def test_a_stream_is_sent_again_from_its_beginning(self, mobile, aws):
        rejection = fakes.Answer(b'{"__type": "ExpiredToken"}', status=400)

        async def main():
            await frozen(mobile)
            aws.script("POST", rejection)
            async with mobile.create_client("lambda") as client:
                await client.invoke(FunctionName="function", Payload=io.BytesIO(b"body"))

        asyncio.run(main())
        sent = [one for one in aws.requests if one.operation == "POST"]
        assert [one.headers["Content-Length"] for one in sent] == ["4", "4"]


def test_without_aiobotocore_the_module_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "botocore_ext.aio")
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    with pytest.raises(ImportError, match="run `pip install aiobotocore`"):
        importlib.import_module("botocore_ext.aio")


def test_logout_reaches_the_sessions_of_aiobotocore(aws):
    provider = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": fakes.secret()})
    sessions = [aio.AioSession(credentials=provider) for _ in range(2)]

    async def keys():
        loaded = [await one.get_credentials() for one in sessions]
        return [(await one.get_frozen_credentials()).access_key for one in loaded]

    async def main():
        before = await keys()
        provider.logout()
        assert provider.identity_id is None
        return before, await keys()

    before, after = asyncio.run(main())
    assert not {*before} & {*after}
    assert "Logins" in aws.requests[0].parameters
    assert "Logins" not in aws.requests[-1].parameters


# Providers of other packages.


def test_a_provider_of_another_package_is_used(package, config):
    source = (Path(__file__).parent.parent / "plugin" / "acme_vault.py").read_text("utf-8")
    package("acme-vault", source, providers=[("acme_path", "AcmeProvider")])
    config("[profile vault]\nacme_path = team/app\n")
    botocore_ext.install()
    credentials = asyncio.run(frozen(theirs.AioSession(profile="vault")))
    assert credentials.secret_key == "secret of team/app"


def test_a_profile_reloads_rotated_files(aws, config):
    static = "aws_access_key_id = {}\naws_secret_access_key = s\n"
    config(
        "[profile p]\nregion = eu-west-1\nbotocore_ext_reload = true\n" + static.format("AKIAOLD")
    )
    botocore_ext.install()

    def rotate(request):
        config("[profile p]\nbotocore_ext_reload = true\n" + static.format("AKIANEW"))
        return fakes.error("ExpiredToken")(request)

    aws.script("GetCallerIdentity", rotate)

    async def main():
        async with theirs.AioSession(profile="p").create_client("sts") as client:
            await client.get_caller_identity()

    asyncio.run(main())
    signed = [one.headers["Authorization"] for one in aws.requests]
    assert ["AKIAOLD" in signed[0], "AKIANEW" in signed[1], len(signed)] == [True, True, 2]
