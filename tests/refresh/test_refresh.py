"""When credentials are refreshed, and what a failure does, by clock and by thread."""

import re
import socket
import threading
import time
import weakref
from datetime import datetime, timezone
from itertools import count

import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError, ConnectTimeoutError

from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Scope,
    from_http,
    from_web_token,
    tokens,
)
from botocore_ext.errors import is_recoverable
from botocore_ext.providers.function import FunctionProvider
from botocore_ext.refresh.policy import (
    Decision,
    Moment,
    State,
    advisory_window,
    after_failure,
    decide,
    mandatory_window,
    retry_delay,
)
from botocore_ext.refresh.refresher import FETCH_BUDGET, LONGEST_WAIT, Refresher
from botocore_ext.session import resolver
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"
#: What credentials have for users that botocore's do not have.
CREDENTIALS_NAMES = ["expiration", "expired", "identity_id", "invalidate", "last_error", "refresh"]


#: The two clocks need not agree on anything.
NOW = Moment(wall=10_000.0, steady=70.0)


def state(left, lifetime=3600, **changes):
    """Credentials of ``lifetime`` seconds of which ``left`` are left at ``NOW``."""
    expiration = datetime.fromtimestamp(NOW.wall + left, timezone.utc)
    keys = FrozenCredentials("AKIA", "secret", "token", expiration)
    return State(keys, obtained=NOW.after(left - lifetime), **changes)


@pytest.mark.parametrize(
    ("lifetime", "window", "seconds"),
    [
        (3600, 300, 300),
        (3600, 900, 900),
        (600, 300, 300),
        (590, 300, 295),
        (90, 300, 45),
        (600, "auto", 300),
        (1200, "auto", 300),
        (1230, "auto", 900),
        (5399, "auto", 900),
        (5400, "auto", 3600),
        (21600, "auto", 3600),
        (590, "auto", 295),
    ],
)
def test_the_advisory_window_is_at_most_half_the_lifetime(lifetime, window, seconds):
    assert advisory_window(lifetime, window) == seconds


@pytest.mark.parametrize(
    ("lifetime", "seconds"), [(3600, 60), (600, 60), (300, 30), (90, 9), (float("inf"), 60)]
)
def test_mandatory_window_is_a_tenth_of_the_lifetime_at_most(lifetime, seconds):
    assert mandatory_window(lifetime) == seconds


@pytest.mark.parametrize(
    ("given", "decision"),
    [
        (State(), Decision.MUST),
        (State(FrozenCredentials("a", "b")), Decision.SERVE),
        (State(FrozenCredentials("a", "b"), invalidated=True), Decision.MUST),
        (state(301), Decision.SERVE),
        (state(300), Decision.TRY),
        (state(61), Decision.TRY),
        (state(60), Decision.MUST),
        (state(-1), Decision.MUST),
        (state(300, retry_at=NOW.after(1)), Decision.WAIT),
        (state(60, retry_at=NOW.after(1)), Decision.WAIT),
        (state(-1, retry_at=NOW.after(1)), Decision.WAIT),
        (state(300, retry_at=NOW), Decision.TRY),
        (state(600, invalidated=True), Decision.MUST),
        (state(600, invalidated=True, retry_at=NOW.after(1)), Decision.WAIT),
        (state(600, raise_until=NOW.after(1)), Decision.RAISE),
        (State(raise_until=NOW.after(1)), Decision.RAISE),
        (state(600, raise_until=NOW), Decision.SERVE),
        (state(46, lifetime=90), Decision.SERVE),
        (state(45, lifetime=90), Decision.TRY),
        (state(9, lifetime=90), Decision.MUST),
    ],
)
def test_the_decision_depends_on_state_and_time_alone(given, decision):
    assert decide(given, NOW, 300) is decision


@pytest.mark.parametrize(
    ("given", "chance", "seconds"),
    [
        (state(3600), 0.0, 300),
        (state(3600), 1.0, 600),
        (state(300), 0.0, 150),
        (state(6), 0.0, 5),
        (state(-1), 0.0, 2.5),
        (state(-1), 1.0, 5),
        (state(-1, failures=1), 1.0, 10),
        (state(-1, failures=9), 1.0, 60),
        (state(3600, invalidated=True), 1.0, 5),
        (state(3600, invalidated=True, failures=2), 1.0, 20),
    ],
)
def test_wait_is_long_before_expiry_and_short_after(given, chance, seconds):
    assert retry_delay(given, NOW, chance) == seconds


def test_credentials_are_valid_until_their_expiration():
    assert state(0.5).is_unexpired(NOW)
    assert not state(0).is_unexpired(NOW)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 1), (0.5, 3), (1.0, 5)])
def test_a_refusal_is_remembered_for_one_to_five_seconds(chance, seconds):
    assert NOW.until(after_failure(State(), denied(), NOW, chance).raise_until) == seconds


@pytest.mark.parametrize(
    ("code", "operation", "recoverable"),
    [
        ("AccessDenied", "AssumeRole", False),
        ("AccessDeniedException", "CreateOAuth2Token", False),
        ("AccessDeniedException", "CreateToken", False),
        ("AccessDeniedException", "GetRoleCredentials", False),
        ("IDPRejectedClaim", "AssumeRoleWithWebIdentity", False),
        ("InvalidIdentityToken", "AssumeRoleWithWebIdentity", False),
        ("MalformedPolicyDocument", "AssumeRoleWithSAML", False),
        ("PackedPolicyTooLarge", "GetFederationToken", False),
        ("RegionDisabledException", "GetSessionToken", False),
        ("NotAuthorizedException", "GetCredentialsForIdentity", False),
        ("NotAuthorizedException", "GetOpenIdToken", False),
        ("NotAuthorizedException", "GetOpenIdTokenForDeveloperIdentity", False),
        ("ResourceNotFoundException", "GetId", False),
        ("ResourceNotFoundException", "GetSecretValue", True),
        ("ExpiredTokenException", "AssumeRoleWithWebIdentity", True),
        ("IDPCommunicationError", "AssumeRoleWithWebIdentity", True),
        ("Throttling", "AssumeRole", True),
    ],
)
def test_what_sts_and_cognito_refuse_for_good(code, operation, recoverable):
    error = ClientError({"Error": {"Code": code}}, operation)
    assert is_recoverable(error) is recoverable


def test_what_the_message_of_a_service_makes_recoverable():
    cognito, sts = "NotAuthorizedException", "InvalidIdentityToken"
    unreached = "Couldn't retrieve verification key from your identity provider,  please reference"
    for code, operation, message, recoverable in [
        (cognito, "GetId", "Invalid login token. Token expired: 1589092400 >= 1589092129", True),
        (cognito, "GetOpenIdToken", "Invalid login token. Token is expired.", True),
        (cognito, "GetId", "Token is not from a supported provider of this identity pool.", False),
        (cognito, "GetId", None, False),
        (sts, "AssumeRoleWithWebIdentity", unreached, True),
        (sts, "AssumeRoleWithWebIdentity", "Provided token expired", False),
        ("AccessDenied", "AssumeRole", f"{unreached}, expired", False),
    ]:
        error = ClientError({"Error": {"Code": code, "Message": message}}, operation)
        assert is_recoverable(error) is recoverable, (code, message)


def test_a_failure_leaves_nothing_of_the_one_before_it():
    """A clock that is set back would bring it to life again."""
    refused = state(30, raise_until=NOW.after(100))
    assert decide(after_failure(refused, OSError(), NOW, 0.5), NOW, 300) is Decision.WAIT
    waiting = state(30, retry_at=NOW.after(100))
    after_that = NOW.after(3)
    assert decide(after_failure(waiting, denied(), NOW, 0.5), after_that, 300) is Decision.MUST


class Source:
    """Gives credentials of a lifetime, or raises the errors of a script."""

    def __init__(self, clock, lifetime=3600):
        self.clock, self.lifetime = clock, lifetime
        self.calls = 0
        self.error = None

    def __call__(self):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return FrozenCredentials(f"AKIA{self.calls}", "secret", None, self.clock.at(self.lifetime))


@pytest.fixture
def source(clock):
    return Source(clock)


@pytest.fixture
def refresher(source, clock):
    return Refresher("custom-test", source, clock, lambda: 300)


def served(refresher):
    return refresher.get_or_fetch().frozen.access_key


def warnings_of(caplog):
    return [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]


@pytest.mark.users_own("error")
def test_error_of_a_user_function_is_logged_by_type_only(refresher, source, caplog):
    source.error = LookupError(fakes.secret())
    with pytest.raises(LookupError):
        served(refresher)
    assert "Fetching credentials via custom-test failed: LookupError" in caplog.messages
    assert not warnings_of(caplog)


def test_timeout_of_the_source_is_not_a_wait_for_a_thread(refresher, source):
    source.error = TimeoutError("the vault does not answer")
    with pytest.raises(TimeoutError, match="the vault"):
        served(refresher)
    assert source.calls == 1


def test_fetch_that_returns_no_credentials_is_an_error(clock):
    refresher = Refresher("custom-test", dict, clock, lambda: 300)
    with pytest.raises(
        FetchError, match=r"fetch\(\) returned dict: it must return FrozenCredentials"
    ):
        refresher.get_or_fetch()


def test_credentials_are_fetched_once_until_the_window(refresher, source, clock):
    assert [served(refresher) for _ in range(3)] == ["AKIA1"] * 3
    clock.advance(3600 - 301)
    assert served(refresher) == "AKIA1"
    clock.advance(1)
    assert served(refresher) == "AKIA2"
    assert source.calls == 2


@pytest.mark.parametrize("set_to", [0, -3600])
def test_cached_returns_what_needs_no_wait(source, clock, set_to):
    """For event loops: what is not at hand a thread fetches."""
    credentials = FunctionProvider(function=source).bind(Scope(clock=clock)).load()

    def cached(*, allow_stale=False):
        found = credentials._cached_credentials(allow_stale=allow_stale)
        return found and found.access_key

    epoch = credentials._epoch
    assert cached() == "AKIA1"  # a function is called when it is loaded
    clock.jump(set_to)
    clock.advance(3600 - 300)
    assert (cached(), cached(allow_stale=True)) == (None, "AKIA1")  # the advisory window
    clock.advance(240)
    assert (cached(), cached(allow_stale=True)) == (None, None)  # the mandatory one
    assert credentials._unexpired_credentials().access_key == "AKIA1"
    source.error = FetchError(provider="custom-test", error_msg="silent")
    assert credentials.get_frozen_credentials().access_key == "AKIA1"
    assert cached() == "AKIA1"  # until the next attempt
    credentials.invalidate()
    assert (credentials._epoch, cached()) == (epoch + 1, None)
    clock.advance(60)
    assert credentials._unexpired_credentials() is None


def test_credentials_without_expiration_are_fetched_once(clock):
    calls = []
    refresher = Refresher(
        "custom-test", lambda: calls.append(1) or FrozenCredentials("A", "b"), clock, lambda: 300
    )
    for _ in range(3):
        served(refresher)
        clock.advance(10**9)
    assert len(calls) == 1


def test_failed_refresh_serves_valid_credentials_and_waits(refresher, source, clock, caplog):
    assert served(refresher) == "AKIA1"
    clock.advance(3600 - 200)
    source.error = FetchError(provider="custom-test", error_msg="silent")
    assert [served(refresher) for _ in range(5)] == ["AKIA1"] * 5
    assert source.calls == 2
    assert str(refresher.current.state.last_error) == str(source.error)
    clock.advance(100)  # half of what was left
    assert served(refresher) == "AKIA1"
    assert source.calls == 3
    (message,) = warnings_of(caplog)
    assert message == (
        "Refreshing credentials via custom-test failed; the credentials in use are still valid: "
        "Error when retrieving credentials from custom-test: silent"
    )
    source.error = None
    clock.advance(60)
    assert served(refresher) == "AKIA4"
    assert refresher.current.state.last_error is None


def test_after_expiry_every_failed_attempt_is_a_warning(refresher, source, clock, caplog):
    served(refresher)
    clock.advance(3700)
    source.error = ConnectTimeoutError(endpoint_url="https://sts.amazonaws.com")
    for _ in range(3):
        assert served(refresher) == "AKIA1"
        assert served(refresher) == "AKIA1"
        clock.advance(61)
    assert source.calls == 4
    assert len(warnings_of(caplog)) == 3
    assert all("have expired" in message for message in warnings_of(caplog))


def test_early_failures_do_not_prolong_waits_after_expiry(refresher, source, clock):
    served(refresher)
    clock.advance(3300)
    source.error = OSError("network")
    for _ in range(3300, 3590, 5):
        served(refresher)
        clock.advance(5)
    assert source.calls > 4
    assert refresher.current.state.failures == 0


def test_credentials_that_come_expired_are_a_failure(refresher, source, clock):
    served(refresher)
    clock.advance(3600 - 200)
    source.lifetime = 0
    assert served(refresher) == "AKIA1"
    assert "check the clocks" in str(refresher.current.state.last_error)


def denied():
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


def test_final_refusal_raises_and_is_remembered(refresher, source, clock):
    served(refresher)
    clock.advance(3600 - 200)
    source.error = denied()
    for _ in range(3):
        with pytest.raises(ClientError):
            served(refresher)
    assert source.calls == 2
    source.error = None
    clock.advance(5)
    assert served(refresher) == "AKIA3"


def test_an_error_that_is_raised_again_does_not_grow(refresher, source):
    source.error = denied()
    depths = []
    for _ in range(3):
        with pytest.raises(ClientError) as raised:
            served(refresher)
        depths.append(len(raised.traceback))
    assert depths[1] == depths[2]


def test_a_first_failure_raises_and_is_not_remembered(refresher, source):
    source.error = OSError("network")
    for _ in range(2):
        with pytest.raises(OSError, match="network"):
            served(refresher)
    assert source.calls == 2


def test_invalidate_forces_a_fetch_and_lifts_the_wait(refresher, source, clock):
    served(refresher)
    source.error = OSError("network")
    refresher.invalidate()
    assert [served(refresher), served(refresher)] == ["AKIA1", "AKIA1"]
    assert source.calls == 2
    source.error = None
    refresher.invalidate()
    assert served(refresher) == "AKIA3"


def test_invalidate_forgets_a_refusal_but_not_by_access_key(refresher, source, clock):
    served(refresher)
    clock.advance(3400)
    source.error = denied()
    with pytest.raises(ClientError):
        served(refresher)
    source.error = None
    refresher.invalidate("AKIA1")
    with pytest.raises(ClientError):
        served(refresher)
    refresher.invalidate()
    assert served(refresher) == "AKIA3"


def test_invalidate_by_access_key_keeps_the_wait(refresher, source, clock):
    served(refresher)
    refresher.invalidate("AKIA-other")
    assert served(refresher) == "AKIA1"
    refresher.invalidate("AKIA1")
    assert served(refresher) == "AKIA2"
    clock.advance(3500)
    source.error = OSError("network")
    served(refresher)
    refresher.invalidate("AKIA2")
    assert served(refresher) == "AKIA2"
    assert source.calls == 3


def test_rejected_credentials_are_retried_sooner(refresher, source, clock, caplog):
    """By the clock they are valid for an hour, but every request with them fails."""
    served(refresher)
    refresher.invalidate("AKIA1")
    source.error = FetchError(provider="custom-test", error_msg="silent")
    for attempts, longest in enumerate((5, 10, 20), start=1):
        # Of the longest wait a random half, here a quarter.
        for pause in (longest / 2, longest / 4):
            assert served(refresher) == "AKIA1"
            assert source.calls == 1 + attempts
            clock.advance(pause)
    assert len(warnings_of(caplog)) == 3
    assert all("the credentials in use were invalidated: " in one for one in warnings_of(caplog))
    source.error = None
    assert served(refresher) == "AKIA5"


def test_rejected_credentials_returned_again_are_a_failure(refresher, source, clock):
    served(refresher)
    refresher.invalidate("AKIA1")
    source.calls = 0  # it will give the same again
    clock.advance(10)  # and say that they expire later
    assert served(refresher) == "AKIA1"
    assert "check whether the source caches credentials" in str(refresher.current.state.last_error)
    assert served(refresher) == "AKIA1"
    assert source.calls == 1
    clock.advance(5)
    assert served(refresher) == "AKIA2"


@pytest.mark.parametrize("rejected", [False, True])
def test_same_credentials_are_accepted_after_invalidate(refresher, source, rejected):
    served(refresher)
    if rejected:
        refresher.invalidate("AKIA1")
    refresher.invalidate()
    source.calls = 0
    assert served(refresher) == "AKIA1"
    assert refresher.current.state.last_error is None


def test_a_rejection_during_a_fetch_is_answered_by_that_fetch(refresher, source):
    served(refresher)
    fetch = source.__call__

    def rejected_meanwhile():
        for _ in range(3):
            refresher.invalidate("AKIA1")
        return fetch()

    refresher._fetch = rejected_meanwhile
    refresher.invalidate("AKIA1")
    assert served(refresher) == "AKIA2"
    assert source.calls == 2


def test_an_invalidation_during_a_fetch_is_not_lost(refresher, source, clock):
    """The result of a fetch under way is used by earlier callers, but not cached."""
    fetch = source.__call__

    def invalidating():
        keys = fetch()
        if source.calls == 1:
            refresher.invalidate()
        return keys

    refresher._fetch = invalidating
    assert [served(refresher) for _ in range(3)] == ["AKIA1", "AKIA2", "AKIA2"]


def together(count, work):
    """Run ``work`` in ``count`` threads that start at once; return what each gave or raised."""
    barrier, outcomes = threading.Barrier(count), []

    def run():
        barrier.wait()
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001 - an outcome
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


@pytest.fixture
def provider(aws, clock):
    aws.now = clock.now
    token = fakes.secret("token")
    return from_web_token(role_arn=ROLE, web_identity_token=token).bind(Scope(clock=clock))


def together_but_one(count, credentials, aws, operation, answer):
    """Use credentials in threads; that which fetches gets its answer after the others."""
    served, others = [], threading.Event()

    def answer_last(request):
        assert others.wait(30)
        return answer(request)

    def use():
        served.append(credentials.get_frozen_credentials())
        if len(served) >= count - 1:
            others.set()

    aws.script(operation, answer_last)
    together(count, use)
    return served


def test_many_threads_make_one_fetch_and_one_refresh(provider, aws, clock):
    aws.delay = 0.1
    credentials = provider.load()
    keys = together(32, credentials.get_frozen_credentials)
    assert len(set(keys)) == 1
    assert len(aws.requests) == 1
    clock.advance(3550)
    refreshed = together(32, credentials.get_frozen_credentials)
    assert len(set(refreshed)) == 1
    assert set(refreshed) != set(keys)
    assert len(aws.requests) == 2


def test_in_the_advisory_window_one_thread_refreshes(provider, aws, clock):
    credentials = provider.load()
    old = credentials.get_frozen_credentials()
    clock.advance(3400)
    keys = together_but_one(16, credentials, aws, STS, aws.sts)
    assert len(aws.requests) == 2
    assert keys.count(old) == 15


def test_failed_first_fetch_raises_to_every_waiter(provider, aws):
    credentials, calls = provider.load(), []

    def answer(request):
        assert fakes.comes_true(lambda: len(calls) == 8)
        time.sleep(0.5)  # until those that have called wait
        return fakes.error("MalformedPolicyDocument")(request)

    def use():
        calls.append(1)
        return credentials.get_frozen_credentials()

    aws.always("AssumeRoleWithWebIdentity", answer)
    errors = together(8, use)
    assert [type(error).__name__ for error in errors] == ["MalformedPolicyDocumentException"] * 8
    assert len(aws.requests) == 1


@pytest.mark.parametrize("left", [30, 0], ids=["mandatory", "expired"])
def test_waiters_of_a_failed_refresh_do_not_retry(provider, aws, clock, left):
    credentials = provider.load()
    old = credentials.get_frozen_credentials()
    clock.advance(3600 - left)
    aws.delay = 0.3
    aws.always("AssumeRoleWithWebIdentity", fakes.error("ExpiredTokenException"))
    assert together(16, credentials.get_frozen_credentials) == [old] * 16
    assert together(16, credentials.get_frozen_credentials) == [old] * 16
    assert len(aws.requests) == 2


class Detour:
    """Sends the requests of an inner client elsewhere."""

    url = None
    requests = 0

    def __call__(self, request, **_):
        self.requests += 1
        request.url = self.url or request.url


@pytest.fixture
def refusing():
    """A URL that refuses connections."""
    with fakes.refusing() as (host, port):
        yield f"http://{host}:{port}/"


STS = "AssumeRoleWithWebIdentity"
OUTAGES = {
    "throttling": lambda aws, **_: aws.always(STS, fakes.error("Throttling")),
    "outage of STS": lambda aws, **_: aws.always(STS, fakes.Answer(status=503)),
    "silence": lambda aws, **_: aws.always(STS, fakes.Answer(silence=30)),
    "half an answer": lambda aws, **_: aws.always(STS, fakes.Answer(b"<Assume", cut=3)),
    "expired token": lambda aws, **_: aws.always(STS, fakes.error("ExpiredTokenException")),
    "no host": lambda detour, **_: setattr(detour, "url", "http://sts.invalid/"),
    "connection refused": lambda detour, refusing, **_: setattr(detour, "url", refusing),
    "raising callable": lambda broken, **_: broken.append(LookupError("no token")),
    "callable that is refused": lambda broken, **_: broken.append(
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")
    ),
}


@pytest.mark.parametrize("left", [200, 30], ids=["advisory", "mandatory"])
@pytest.mark.parametrize("outage", OUTAGES)
def test_recoverable_failure_fails_no_request(aws, clock, mocker, refusing, outage, left):
    aws.now, broken, detour = clock.now, [], Detour()
    resolve = socket.getaddrinfo

    def no_such_host(host, *rest, **more):
        if host == "sts.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)

    mocker.patch("socket.getaddrinfo", no_such_host)

    def token():
        if broken:
            raise broken[0]
        return "token"

    patience = 0.3 if outage == "silence" else 30
    config = Config(read_timeout=patience, retries={"total_max_attempts": 1})
    provider = from_web_token(
        role_arn=ROLE, web_identity_token=token, client_config={"config": config}
    ).bind(Scope(clock=clock))
    events = provider.scope.client("sts", provider.client_config).meta.events
    events.register("before-send", detour)
    credentials = provider.load()
    old = credentials.get_frozen_credentials()
    clock.advance(3600 - left)
    OUTAGES[outage](aws=aws, detour=detour, broken=broken, refusing=refusing)
    assert [credentials.get_frozen_credentials() for _ in range(3)] == [old] * 3
    assert credentials.last_error is not None
    asked = detour.requests
    aws.scripts.clear()
    detour.url = None
    broken.clear()
    assert credentials.get_frozen_credentials() == old
    assert detour.requests == asked
    clock.advance(left / 2)
    assert credentials.get_frozen_credentials() != old
    assert credentials.last_error is None


HOUR = 3600
#: Lifetime -> fetches within ten lifetimes in which a request comes every second, by window.
FETCHES = {
    90: {300: 20, "auto": 20},
    300: {300: 20, "auto": 20},
    600: {300: 20, "auto": 20},
    900: {300: 15, "auto": 15},
    HOUR: {300: 11, "auto": 14},
    12 * HOUR: {300: 11, "auto": 11},
}


@pytest.mark.parametrize("window", [300, "auto"])
@pytest.mark.parametrize("lifetime", FETCHES)
def test_no_lifetime_means_a_fetch_for_each_request(clock, lifetime, window):
    source = Source(clock, lifetime)
    provider = FunctionProvider(function=source, refresh_window=window).bind(Scope(clock=clock))
    credentials = provider.load()
    for _ in range(10 * lifetime):
        credentials.get_frozen_credentials()
        clock.advance(1)
    assert source.calls == FETCHES[lifetime][window]


@pytest.mark.parametrize(
    ("lifetime", "attempts"), [(90, 4), (300, 6), (600, 7), (900, 7), (HOUR, 7), (12 * HOUR, 7)]
)
def test_source_that_is_down_is_called_rarely(clock, lifetime, attempts):
    """From the window to expiry: after half of what is left, and again."""
    source = Source(clock, lifetime)
    provider = FunctionProvider(function=source).bind(Scope(clock=clock))
    credentials = provider.load()
    source.error = OSError("network")
    for _ in range(lifetime):
        credentials.get_frozen_credentials()
        clock.advance(1)
    assert source.calls == 1 + attempts


class TestClock:
    """The wall clock may be set, and the steady one stops while a machine is suspended."""

    def test_clock_set_back_does_not_prolong_credentials(self, refresher, clock):
        served(refresher)
        clock.jump(-HOUR)
        clock.advance(3299)
        assert served(refresher) == "AKIA1"
        clock.advance(1)
        assert served(refresher) == "AKIA2"

    def test_clock_set_forward_costs_one_fetch(self, refresher, source, clock):
        served(refresher)
        clock.jump(HOUR)
        assert [served(refresher) for _ in range(3)] == ["AKIA2"] * 3
        assert source.calls == 2

    @pytest.mark.parametrize("jump", [-HOUR, HOUR])
    def test_a_wait_is_not_prolonged(self, refresher, source, clock, jump):
        served(refresher)
        clock.advance(3400)
        source.error = OSError("network")
        served(refresher)
        source.error = None
        clock.jump(jump)
        clock.advance(100)
        assert served(refresher) == "AKIA3"

    @pytest.mark.parametrize("jump", [-HOUR, HOUR])
    def test_the_memory_of_a_refusal_is_not_prolonged(self, refresher, source, clock, jump):
        source.error = denied()
        with pytest.raises(ClientError):
            served(refresher)
        source.error = None
        clock.jump(jump)
        clock.advance(5)
        assert served(refresher) == "AKIA2"

    def test_a_laptop_that_wakes_up_fetches_at_once(self, refresher, source, clock):
        """Whatever wait was on when it was suspended."""
        served(refresher)
        clock.advance(3400)
        source.error = OSError("network")
        served(refresher)
        source.error = None
        clock.jump(8 * HOUR)
        assert served(refresher) == "AKIA3"

    def test_what_the_credentials_say_follows_both_clocks(self, provider, clock):
        credentials = provider.load()
        first = credentials.access_key
        clock.jump(-HOUR)
        clock.advance(HOUR)
        assert credentials.expired
        assert credentials.refresh_needed()
        assert credentials.refresh_needed(refresh_in=1)
        assert credentials.access_key != first
        assert not credentials.expired
        second = credentials.access_key
        clock.jump(HOUR)
        assert credentials.expired
        assert credentials.refresh_needed(refresh_in=1)
        assert credentials.access_key != second


def test_a_changed_token_file_is_used_at_the_next_fetch(aws, tmp_path):
    path = tmp_path / "token"
    path.write_text(first := fakes.secret("token"), encoding="utf-8")
    provider = from_web_token(role_arn=ROLE, web_identity_token=tokens.TokenFile(str(path)))
    credentials = provider.load()
    credentials.get_frozen_credentials()
    path.write_text(second := fakes.secret("token"), encoding="utf-8")
    credentials.refresh()
    assert [one.parameters["WebIdentityToken"] for one in aws.requests] == [first, second]


def test_new_token_drops_the_old_credentials(provider, aws):
    credentials = provider.load()
    old = credentials.get_frozen_credentials()
    provider.web_identity_token = new = fakes.secret("token")
    assert credentials.get_frozen_credentials() != old
    assert aws.requests[-1].parameters["WebIdentityToken"] == new
    aws.always("AssumeRoleWithWebIdentity", fakes.error("ExpiredTokenException"))
    provider.web_identity_token = fakes.secret("token")
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        credentials.get_frozen_credentials()


def test_copies_share_token_and_invalidate_not_credentials(provider, aws):
    one = provider.load()
    other = provider.bind(Scope())
    two = other.load()
    assert one.get_frozen_credentials() != two.get_frozen_credentials()
    provider.invalidate()
    one.get_frozen_credentials()
    two.get_frozen_credentials()
    assert len(aws.requests) == 4
    provider.invalidate(access_key=one.access_key)
    two.get_frozen_credentials()
    assert len(aws.requests) == 4
    one.get_frozen_credentials()
    assert len(aws.requests) == 5
    other.web_identity_token = new = fakes.secret("token")
    one.get_frozen_credentials()
    assert aws.requests[-1].parameters["WebIdentityToken"] == new


def test_credentials_of_a_copy_end_with_it(provider):
    found = weakref.ref(provider.bind(Scope()).load())
    assert fakes.is_collected(lambda: found() is None)


def test_the_public_surface_of_the_credentials(provider, aws, clock):
    credentials = provider.load()
    assert (credentials.expiration, credentials.expired, credentials.last_error) == (
        None,
        False,
        None,
    )
    assert credentials.refresh_needed()
    assert credentials.refresh_needed(refresh_in=0)
    frozen = credentials.get_frozen_credentials()
    assert frozen == (
        credentials.access_key,
        credentials.secret_key,
        credentials.token,
        "123456789012",
    )
    assert credentials.account_id == "123456789012"
    assert not credentials.refresh_needed()
    assert credentials.refresh_needed(refresh_in=3601)
    assert credentials.expiration == clock.at(3600)
    clock.advance(3299)
    assert (credentials.refresh_needed(), credentials.access_key) == (False, frozen.access_key)
    clock.advance(1)
    assert credentials.refresh_needed()
    second = credentials.access_key
    assert second != frozen.access_key
    assert not credentials.refresh_needed(refresh_in=3600)
    clock.advance(3600)
    assert credentials.expired
    credentials.refresh()
    assert credentials.access_key != second
    credentials.invalidate()
    assert credentials.refresh_needed()
    aws.always("AssumeRoleWithWebIdentity", fakes.error("ExpiredTokenException"))
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        credentials.refresh()
    assert credentials.access_key
    with pytest.raises(AttributeError):
        credentials.access_key = "AKIA"


def test_only_private_names_in_use_are_overridden(provider):
    """``tests/refresh/test_expiry.py`` says what they mean."""
    credentials = provider.load()
    plain = RefreshableCredentials("a", "b", None, None, None, "m")
    private = {name for name in vars(type(credentials)) if re.match("_[^_]", name)}
    assert private & {*dir(RefreshableCredentials), *vars(plain)} == {
        "_expiry_time",
        "_frozen_credentials",
        "_is_expired",
        "_protected_refresh",
        "_refresh",
        "_seconds_remaining",
    }
    own = {name for name in vars(credentials) if not hasattr(plain, name)}
    assert own == {"_provider", "_wall", "_steady", "_refresher"}


def test_callable_that_uses_its_own_credentials_is_an_error(aws):
    provider = from_web_token(role_arn=ROLE)
    credentials = provider.load()
    provider.web_identity_token = lambda: credentials.access_key
    with pytest.raises(Exception, match="use a separate session or client"):
        credentials.get_frozen_credentials()


def test_fetch_may_use_the_credentials_that_it_replaces(refresher, source):
    """A token service may well be an AWS service, asked with the same session."""
    first = served(refresher)
    fetch, used = source.__call__, []
    refresher._fetch = lambda: used.append(served(refresher)) or fetch()
    refresher.invalidate()
    assert served(refresher) != first
    assert used == [first]


def test_thread_just_after_a_fetch_does_not_fetch(refresher, source, clock):
    served(refresher)
    assert refresher._attempt() is refresher.current
    assert source.calls == 1
    clock.advance(3600)
    source.error = OSError("network")
    served(refresher)
    assert refresher._attempt() is refresher.current
    assert source.calls == 2


def test_thread_just_after_a_refusal_does_not_fetch(refresher, source):
    source.error = denied()
    for attempt in (refresher.get_or_fetch, refresher._attempt):
        with pytest.raises(ClientError):
            attempt()
    assert source.calls == 1


def test_a_new_process_starts_without_the_waits_of_the_old(refresher, source, clock):
    """What ``TestFork`` shows with a real child, seen from within."""
    served(refresher)
    clock.advance(3400)
    source.error = OSError("network")
    served(refresher)
    source.error = None
    with fakes.another_process():
        assert served(refresher) == "AKIA3"


def test_the_wait_of_a_follower_ends_with_the_budget(aws, clock, mocker):
    """In the mandatory window others wait for the fetch, but no longer than one may take."""
    mocker.patch("botocore_ext.refresh.refresher.FETCH_BUDGET", 0.05)
    aws.now = clock.now
    provider = from_http(aws_container_credentials_full_uri=aws.url).bind(Scope(clock=clock))
    credentials = provider.load()
    old = credentials.get_frozen_credentials()
    clock.advance(3550)
    keys = together_but_one(4, credentials, aws, "GET", aws.endpoint)
    assert keys.count(old) == 3


@pytest.mark.parametrize("event", ["token", "invalidate", "expiry"])
def test_credentials_that_expire_during_a_wait_are_not_served(
    refresher, source, clock, mocker, event
):
    """The other thread fetches for longer than the budget, as a token process may."""
    mocker.patch("botocore_ext.refresh.refresher.FETCH_BUDGET", 0.3)
    assert served(refresher) == "AKIA1"
    clock.advance(3590)
    fetching, over = threading.Event(), threading.Event()

    def slow():
        if not fetching.is_set():
            fetching.set()
            over.wait(10)
        return source()

    ends = {
        "token": lambda: refresher.start_with(None),
        "invalidate": refresher.invalidate,
        "expiry": lambda: clock.advance(20),
    }
    refresher._fetch = slow
    timers = [threading.Timer(0.01, ends[event]), threading.Timer(0.4, over.set)]
    other = threading.Thread(target=refresher.get_or_fetch)
    other.start()
    fetching.wait(10)
    for one in timers:
        one.start()
    assert served(refresher) != "AKIA1"
    over.set()
    for one in (other, *timers):
        one.join()


def test_waiters_outlast_a_token_process():
    """A token process comes before the calls that have the budget."""
    longest = tokens.TokenProcess("it").timeout + FETCH_BUDGET
    assert min(LONGEST_WAIT, resolver._LONGEST_WAIT) > longest


def test_new_token_does_not_wait_for_the_old_fetch(refresher, source):
    fetching, over = threading.Event(), threading.Event()

    def slow():
        if not fetching.is_set():
            fetching.set()
            over.wait(10)
        return source()

    refresher._fetch = slow
    other = threading.Thread(target=refresher.get_or_fetch)
    other.start()
    fetching.wait(10)
    refresher.start_with(None)
    assert served(refresher) == "AKIA1"
    over.set()
    other.join()
    assert served(refresher) == "AKIA1"


def test_credentials_of_a_replaced_token_are_not_served(refresher):
    run = refresher._flight.run

    def replaced_after(*given, **named):
        refresher._flight.run = run
        settled = run(*given, **named)
        refresher.start_with(None)
        return settled

    refresher._flight.run = replaced_after
    assert served(refresher) == "AKIA2"


def test_dripping_service_ends_with_the_budget(provider, aws, mocker):
    """No timeout of a socket would ever come; for each provider: ``tests/tools/faults``."""
    mocker.patch("botocore_ext.runtime.deadline.FETCH_BUDGET", 0.3)
    aws.always(STS, fakes.Answer(b"<" * 1000, drip=0.1))
    with pytest.raises(FetchError, match=r"127.0.0.1:\d+ did not answer within the 0.3 seconds"):
        provider.load().get_frozen_credentials()


def test_dir_of_credentials_shows_users_names(provider):
    """Those of botocore and six more; the rest has an underscore."""
    theirs = RefreshableCredentials("", "", None, None, None, "custom")
    assert public_names(provider.load()) - public_names(theirs) == set(CREDENTIALS_NAMES)


def public_names(value):
    return {name for name in dir(value) if not name.startswith("_")}


class Interrupting:
    """A window that lets another caller come between the look at a state and its replacement."""

    def __init__(self):
        self.before = []

    def __call__(self):
        if self.before:
            self.before.pop()()
        return 300


def test_concurrent_changes_are_both_applied(clock):
    window, numbers = Interrupting(), count(1)
    refresher = Refresher(
        "custom-test", lambda: FrozenCredentials(f"AKIA{next(numbers)}", "s"), clock, window
    )
    refresher.get_or_fetch()
    epoch = refresher.current.epoch
    window.before = [refresher.invalidate]
    refresher.invalidate()
    assert refresher.current.epoch == epoch + 2
    identity = refresher.current.identity
    window.before = [refresher.invalidate]
    refresher.start_with(None)
    assert refresher.current.identity == identity + 1
    assert refresher.current.state.credentials is None


def test_a_rejection_during_the_end_of_a_fetch_is_not_lost(clock):
    window = Interrupting()

    def fetch():
        window.before = [lambda: refresher.invalidate("AKIA")]
        return FrozenCredentials("AKIA", "s")

    refresher = Refresher("custom-test", fetch, clock, window)
    assert refresher.get_or_fetch().state.credentials.access_key == "AKIA"


def test_a_failure_with_a_replaced_token_is_of_no_interest(clock):
    """The fetch is made again, with the new token."""
    answers = []

    def fetch():
        if not answers:
            answers.append(1)
            together(1, lambda: refresher.start_with(None))
            raise FetchError(provider="custom-test", error_msg="the old token")
        return FrozenCredentials("AKIA", "s")

    refresher = Refresher("custom-test", fetch, clock, lambda: 300)
    assert refresher.get_or_fetch().state.credentials.access_key == "AKIA"
    assert refresher.current.state.last_error is None


def test_callable_that_refreshes_itself_is_an_error():
    provider = from_web_token(role_arn="arn:aws:iam::123456789012:role/Web")
    credentials = provider.load()
    provider.web_identity_token = credentials.refresh
    with pytest.raises(ConfigurationError, match="depends on itself"):
        credentials.refresh()
