"""``per_request`` and ``use_credentials``: which identity is in force, and for how long."""

import _thread
import asyncio
import contextvars
import gc
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.credentials import CredentialProvider, Credentials, RefreshableCredentials

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FrozenCredentials,
    NotConfigured,
    Provider,
    Session,
    create_credential_chain,
    from_env,
    from_temporary_credentials,
    from_web_token,
    option,
    per_request,
    use_credentials,
)
from tests import fakes
from tests.refresh.test_express import signed_with
from tests.refresh.test_refresh import together
from tests.runtime.test_fork import in_child
from tests.session.test_clients import user

pytestmark = [
    pytest.mark.caller_signs,
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

A, B = user("AKIAA"), user("AKIAB")


class Counting(Provider):
    """Credentials with a name and a number that grows with each fetch."""

    FACTORY = "counting"

    name: str = option(default=None, required=True, token=True, help="Whose credentials.")
    pause: float = option(default=0.0, help="Seconds that a fetch takes.")
    fetches: list = option(default=None, help="Gets the name at each fetch.")

    def fetch(self):
        time.sleep(self.pause)
        if self.fetches is not None:
            self.fetches.append(self.name)
        return FrozenCredentials(f"AKIA{self.name}", "secret")

    def __eq__(self, other):
        return isinstance(other, Counting)

    def __hash__(self):
        return 1


def client_of(source=None, **arguments):
    session = Session(credentials=source or per_request(**arguments), region_name="eu-west-1")
    return session.client("sts")


@pytest.fixture(scope="module")
def sts():
    return client_of()


def signer(client):
    """Return who signs a request of the client now."""
    url = client.generate_presigned_url("get_caller_identity")
    return url.partition("Credential=")[2].partition("%2F")[0]


def test_requests_are_signed_as_the_identity_in_force(aws):
    client = client_of()
    for source in (A, B, A):
        with use_credentials(source):
            client.get_caller_identity()
    assert [signed_with(one) for one in aws.requests] == ["AKIAA", "AKIAB", "AKIAA"]


def test_a_client_of_a_session_that_is_not_per_request():
    session = Session("AKIASESSION", "s", region_name="eu-west-1")
    plain = boto3.Session("AKIASESSION", "s", region_name="eu-west-1")
    for client in (
        session.client("sts", credentials=per_request()),
        botocore_ext.client(plain, "sts", credentials=per_request()),
    ):
        with use_credentials(A):
            assert signer(client) == "AKIAA"
        assert signer(session.client("sts")) == "AKIASESSION"


def test_other_credentials_in_the_same_object(sts):
    source = Credentials("AKIAA", "secret")
    for name in ("AKIAA", "AKIAB", "AKIAA"):
        source.access_key = name
        with use_credentials(source):
            assert signer(sts) == name


def test_a_client_that_ignores_the_identity_is_warned_of_once(aws):
    """It signs as its own, which is not what the block is for."""
    explicit = Session("AKIASESSION", "s", region_name="eu-west-1")
    clients = [
        explicit.client("sts"),
        Session(credentials=B, region_name="eu-west-1").client("sts"),
        explicit.client("sts", credentials=B),
    ]
    for client in clients:
        with use_credentials(A):
            with pytest.warns(
                UserWarning, match=r"Session\(credentials=per_request\(\)\)"
            ) as heard:
                client.get_caller_identity()
            signer(client)
        assert [one.filename for one in heard] == [__file__]
        assert "has no effect on this client of sts" in str(heard[0].message)


def test_the_warning_in_a_thread_that_begins_in_botocore(aws):
    """Such as a greenlet of gevent: no frame is the caller's."""
    client, ended = Session("AKIASESSION", "s", region_name="eu-west-1").client("sts"), []
    with use_credentials(A), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        client.meta.events.register("after-call", lambda **_: ended.append(1))
        run = contextvars.copy_context().run
        _thread.start_new_thread(run, (client.get_caller_identity,))
        deadline = time.monotonic() + 10
        while not ended and time.monotonic() < deadline:
            time.sleep(0.01)
    assert ended
    assert ["has no effect" in str(one.message) for one in heard] == [True]


def test_a_client_that_a_fetch_uses_may_have_its_own(aws, sts):
    own = Session("AKIAOWN", "s", region_name="eu-west-1").client("sts")

    def source():
        own.get_caller_identity()
        return A

    assert enter(use_credentials(source), sts) == "AKIAA"
    params = {"RoleArn": "arn:aws:iam::123456789012:role/A"}
    on_top = from_temporary_credentials(params=params, master_credentials=A)
    enter(use_credentials(on_top), sts)
    assert [signed_with(one) for one in aws.requests] == ["AKIAOWN", "AKIAA"]


class TestContext:
    def test_nested(self, sts):
        with use_credentials(A):
            with use_credentials(B):
                assert signer(sts) == "AKIAB"
            assert signer(sts) == "AKIAA"
        with pytest.raises(ConfigurationError):
            signer(sts)

    def test_an_error_in_the_block(self, sts):
        with use_credentials(A):
            with pytest.raises(LookupError), use_credentials(B):
                raise LookupError
            assert signer(sts) == "AKIAA"

    def test_one_object_may_be_entered_again_and_by_many(self, sts):
        alice, bob = use_credentials(A), use_credentials(B)
        with alice, bob, alice:
            assert signer(sts) == "AKIAA"
            found = together(8, lambda: enter(bob, sts))
        assert found == ["AKIAB"] * 8

    def test_a_decorated_function(self, sts):
        @use_credentials(A)
        def work(first, *, second):
            """Say who signs."""
            return signer(sts), first, second

        assert work(1, second=2) == ("AKIAA", 1, 2)
        assert work.__doc__ == "Say who signs."
        with use_credentials(B):
            work(1, second=2)
            assert signer(sts) == "AKIAB"

    def test_a_decorated_coroutine_function(self, sts):
        @use_credentials(A)
        async def work():
            await asyncio.sleep(0)
            return signer(sts)

        assert asyncio.run(work()) == "AKIAA"

    def test_generators_are_not_decorated(self):
        def generator():
            yield

        async def asynchronous():
            yield

        for function in (generator, asynchronous):
            with pytest.raises(TypeError, match="cannot decorate a generator function"):
                use_credentials(A)(function)
            with pytest.raises(TypeError, match="cannot decorate a generator function"):
                use_credentials(A)(lambda function=function: function())()

    def test_another_decorator_may_hide_a_coroutine_function(self, sts):
        """Its body runs after the call has returned, where another identity may be in force."""

        async def work():
            await asyncio.sleep(0)
            return signer(sts)

        @use_credentials(A)
        def decorated():
            return work()

        async def run():
            with use_credentials(B):
                return await decorated(), signer(sts)

        assert asyncio.run(run()) == ("AKIAA", "AKIAB")

    def test_async_with_and_tasks(self, sts):
        async def task(source):
            async with use_credentials(source):
                await asyncio.sleep(0.01)
                inner = asyncio.create_task(later())
                return signer(sts), await asyncio.to_thread(signer, sts), await inner

        async def later():
            await asyncio.sleep(0.01)
            return signer(sts)

        async def run():
            return await asyncio.gather(*(task(one) for one in (A, B) * 5))

        assert asyncio.run(run()) == [("AKIAA",) * 3, ("AKIAB",) * 3] * 5

    def test_a_task_keeps_the_identity_in_which_it_was_created(self, sts):
        async def later():
            await asyncio.sleep(0.01)
            return signer(sts)

        async def run():
            with use_credentials(A):
                task = asyncio.create_task(later())
            with use_credentials(B):
                return await task

        assert asyncio.run(run()) == "AKIAA"

    def test_a_copied_context(self, sts):
        with use_credentials(A):
            context = contextvars.copy_context()
        with use_credentials(B), ThreadPoolExecutor(1) as pool:
            assert pool.submit(context.run, signer, sts).result() == "AKIAA"
            assert signer(sts) == "AKIAB"

    def test_a_pool_of_threads_keeps_nothing_of_its_last_user(self, sts):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(enter, use_credentials(A), sts).result() == "AKIAA"
            with pytest.raises(ConfigurationError, match="no identity is in force"):
                pool.submit(signer, sts).result()

    def test_leaving_in_another_order(self, sts):
        """A generator that yields inside the block does so; what was in force before is again."""
        first, second, outer = (
            use_credentials(A),
            use_credentials(B),
            use_credentials(user("AKIAO")),
        )

        def generator():
            with first:
                yield

        block = generator()
        with outer:
            with pytest.raises(RuntimeError, match="in another order"):
                enter_and_advance(second, block)
            assert signer(sts) == "AKIAO"
            with pytest.raises(RuntimeError, match="in another order"):
                block.close()
            assert signer(sts) == "AKIAO"
        with pytest.raises(RuntimeError, match="another task or thread"):
            first.__exit__()

    def test_nothing_shows_a_secret(self):
        with use_credentials(FrozenCredentials("AKIA", fakes.secret(), fakes.secret())) as block:
            shown = f"{block}{[*contextvars.copy_context().values()]}{vars(block)}"
        assert "FrozenCredentials" in shown
        assert not [one for one in fakes.SECRETS if one in shown]
        assert repr(use_credentials(from_env())) == "use_credentials(from_env)"
        assert repr(per_request()) == "per_request(default=None, max_identities=10000)"
        known = per_request(from_env(), max_identities=5)
        assert repr(known) == "per_request(default=from_env, max_identities=5)"


def enter_and_advance(block, generator):
    with block:
        next(generator)


def enter(block, client):
    with block:
        return signer(client)


class TestSources:
    @pytest.mark.parametrize(
        "source",
        [
            A,
            user("AKIAA", method="custom"),
            lambda: A,
            lambda: {"AccessKeyId": "AKIAA", "SecretAccessKey": "s"},
            create_credential_chain(lambda: None, A),
            Counting(name="A"),
        ],
        ids=["frozen", "botocore", "function", "mapping", "chain", "provider"],
    )
    def test_what_is_accepted(self, sts, source):
        with use_credentials(source):
            assert signer(sts) == "AKIAA"

    def test_a_third_party_provider_and_refreshable_credentials(self, sts):
        class Theirs(CredentialProvider):
            METHOD = "theirs"

            def load(self):
                loads.append(1)
                return RefreshableCredentials.create_from_metadata(
                    fetched(), fetched, method=self.METHOD
                )

        def fetched():
            return {
                "access_key": "AKIAT",
                "secret_key": "s",
                "token": None,
                "expiry_time": fakes.at(time.time() + 3600),
            }

        loads, theirs = [], Theirs()
        for source in (theirs, theirs, theirs.load()):
            with use_credentials(source):
                assert signer(sts) == "AKIAT"
        assert loads == [1, 1]

    @pytest.mark.parametrize("source", [None, "token", {}, from_env], ids=str)
    def test_what_is_refused(self, source):
        with pytest.raises(TypeError, match="is not a credential provider"):
            use_credentials(source)
        if source is not None:
            with pytest.raises(TypeError, match="is not a credential provider"):
                per_request(source)
        with pytest.raises(ValueError, match="it must be 1 or more"):
            per_request(max_identities=0)

    def test_per_request_is_not_one_identity(self):
        """A chain, or a role on top of it, would keep the first user's credentials for all."""
        found = Session(credentials=per_request(A)).get_credentials()
        for source in (per_request(), found):
            for take in (
                use_credentials,
                per_request,
                botocore_ext.install,
                create_credential_chain,
            ):
                with pytest.raises(TypeError, match="is not one identity"):
                    take(source)
        params = {"RoleArn": "arn:aws:iam::123456789012:role/A"}
        on_top = from_temporary_credentials(params=params, master_credentials=found)
        for provider in (on_top, create_credential_chain(lambda: found)):
            with pytest.raises(botocore_ext.FetchError, match="another identity at each request"):
                provider.fetch()

    def test_a_provider_without_credentials(self, sts):
        with use_credentials(lambda: None), pytest.raises(NotConfigured) as raised:
            signer(sts)
        assert "the provider of use_credentials() has none here" in str(raised.value)

        class Theirs(CredentialProvider):
            METHOD = "theirs"

            def load(self):
                return None

        theirs = Theirs()
        with (
            use_credentials(theirs),
            pytest.raises(NotConfigured, match="none here: configure"),
        ):
            signer(sts)

    def test_the_default(self):
        client = client_of(default=A)
        assert signer(client) == "AKIAA"
        with use_credentials(B):
            assert signer(client) == "AKIAB"
        assert ThreadPoolExecutor(1).submit(signer, client).result() == "AKIAA"

    def test_without_a_session(self):
        credentials = per_request().load()
        with use_credentials(A):
            parts = credentials.access_key, credentials.secret_key, credentials.token
        assert parts == ("AKIAA", "secret", None)
        assert repr(credentials) == "<PerRequestCredentials>"


class TestNoIdentity:
    def test_the_error(self, sts, monkeypatch):
        """Never the credentials of the environment."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        with pytest.raises(ConfigurationError) as raised:
            sts.get_caller_identity()
        assert raised.value.reason == (
            "no identity is in force: make the call inside "
            "`with botocore_ext.use_credentials(provider):`"
        )

    def test_the_error_in_a_thread(self, sts):
        with use_credentials(A), ThreadPoolExecutor(1) as pool:
            error = pool.submit(signer, sts).exception()
        for remedy in ("use_credentials(", "copy_context().run", "use_threads=False", "client(cr"):
            assert remedy in str(error)


class TestLifetime:
    def test_one_fetch_for_all_threads(self, sts):
        fetches = []
        provider = Counting(name="A", pause=0.05, fetches=fetches)
        found = together(16, lambda: enter(use_credentials(provider), sts))
        assert found == ["AKIAA"] * 16
        assert fetches == ["A"]

    def test_one_call_of_a_function_for_all_threads(self, sts):
        calls = []

        def function():
            calls.append(1)
            time.sleep(0.05)
            return A

        assert together(16, lambda: enter(use_credentials(function), sts)) == ["AKIAA"] * 16
        assert calls == [1]

    def test_equal_providers_share_nothing(self, sts):
        one, other = Counting(name="A"), Counting(name="B")
        assert one == other
        assert [enter(use_credentials(p), sts) for p in (one, other, one)] == [
            "AKIAA",
            "AKIAB",
            "AKIAA",
        ]

    def test_a_method_is_called_once_for_its_object(self, sts):
        class User:
            def __init__(self, name):
                self.name, self.calls = name, 0

            def credentials(self):
                self.calls += 1
                return user(self.name)

            def __eq__(self, other):
                return True

            def __hash__(self):
                return 1

        one, other = User("AKIA1"), User("AKIA2")
        for _ in range(3):
            assert enter(use_credentials(one.credentials), sts) == "AKIA1"
            assert enter(use_credentials(other.credentials), sts) == "AKIA2"
        assert (one.calls, other.calls) == (1, 1)

    def test_an_object_without_weak_references(self, sts):
        class Slotted:
            __slots__ = ("calls",)

            def __call__(self):
                self.calls += 1
                return A

        source = Slotted()
        source.calls = 0
        for _ in range(2):
            assert enter(use_credentials(source), sts) == "AKIAA"
        assert source.calls == 1

    def test_a_new_token_is_a_new_identity(self, sts):
        provider = Counting(name="A")
        with use_credentials(provider):
            assert signer(sts) == "AKIAA"
            provider.name = "B"
            assert signer(sts) == "AKIAB"

    @pytest.mark.parametrize("kind", ["provider", "function", "credentials", "method"])
    def test_what_is_dropped_leaves_nothing_behind(self, kind):
        class User:
            def credentials(self):
                return A

        make = {
            "provider": lambda: Counting(name="A"),
            "function": lambda: lambda: A,
            "credentials": lambda: user("AKIAA"),
            "method": lambda: User().credentials,
        }[kind]
        client, before = client_of(), living()
        for _ in range(50):
            assert enter(use_credentials(make()), client) == "AKIAA"
        assert living() <= before

    def test_the_limit_bounds_cached_identities(self):
        fetches = []
        providers = [Counting(name=str(one), fetches=fetches) for one in range(5)]
        client = client_of(max_identities=3)
        for provider in (*providers, *providers[2:], *providers[:2]):
            enter(use_credentials(provider), client)
        assert fetches == [*"01234", *"01"]

    def test_an_identity_in_use_is_never_dropped(self):
        fetches = []
        first, *others = [Counting(name=str(one), fetches=fetches) for one in range(5)]
        client = client_of(max_identities=1)
        with use_credentials(first):
            signer(client)
            for other in others:
                enter(use_credentials(other), client)
            assert enter(use_credentials(first), client) == signer(client) == "AKIA0"
        assert fetches == [*"01234"]

    def test_a_block_that_is_used_again_keeps_no_session(self):
        """A decorator lives as long as the program, and its function may create sessions."""
        block, before = use_credentials(A), living()
        for _ in range(3):
            assert enter(block, client_of()) == "AKIAA"
        assert living() <= before

    def test_a_provider_lives_as_long_as_its_block(self, sts):
        with use_credentials(Counting(name="A")):
            gc.collect()
            assert signer(sts) == "AKIAA"

    def test_a_failed_load_is_not_cached(self, sts):
        answers = [None, A]
        source = lambda: answers.pop(0)  # noqa: E731 - a function
        with use_credentials(source):
            with pytest.raises(NotConfigured):
                signer(sts)
            assert signer(sts) == "AKIAA"

    def test_an_object_in_the_place_of_one_that_is_gone(self):
        """Its id is the same, and the credentials of the other are still in use somewhere."""
        found = per_request().load()
        for _ in range(100):  # something else may take the place
            source = user("AKIA1")
            with use_credentials(source):
                bound, number = found.bound(), id(source)
            del source
            others = [user("AKIA2") for _ in range(100)]
            source = next((one for one in others if id(one) == number), None)
            if source is not None:
                break
        assert source is not None
        for _ in range(2):
            with use_credentials(source):
                assert found.access_key == "AKIA2"
            bound = None
        assert bound is None

    def test_a_child_process_has_the_identity(self, sts):
        with use_credentials(Counting(name="A")):
            signer(sts)
            assert in_child(lambda: (signer(sts), enter(use_credentials(B), sts))) == str(
                ("AKIAA", "AKIAB")
            )

    def test_identities_share_the_clients_that_obtain_credentials(self, aws):
        session, created = Session(credentials=per_request(), region_name="eu-west-1"), []
        session.events.register("creating-client-class.sts", lambda **_: created.append(1))
        providers = [
            from_web_token(
                role_arn=f"arn:aws:iam::123456789012:role/{one}", web_identity_token="t0ken"
            )
            for one in range(20)
        ]
        credentials = session.get_credentials()
        for provider in providers:
            with use_credentials(provider):
                credentials.get_frozen_credentials()
        assert len({one.gave for one in aws.requests}) == 20
        assert created == [1]


def living():
    """Return the number of objects of this package that an identity consists of."""
    gc.collect()
    kinds = ("BoundIdentity", "ProviderCredentials", "Refresher", "Identity", "FunctionProvider")
    return sum(type(one).__name__ in kinds for one in gc.get_objects())
