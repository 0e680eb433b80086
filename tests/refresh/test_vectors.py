"""AWS's cross-SDK vectors of the refresh, against the decision alone and the credentials object.

The vectors are data of smithy-lang/smithy-rs and no part of this repository. The directory that
holds ``smithy-rs/credential-refresh`` is named by the variable ``BOTOCORE_EXT_CONFORMANCE``.
"""

import json
import os
from pathlib import Path

import pytest

from botocore_ext import ConfigurationError, FetchError, FrozenCredentials, Provider, Scope
from botocore_ext.refresh.credentials import ProviderCredentials
from botocore_ext.refresh.policy import (
    Decision,
    Moment,
    State,
    advisory_window,
    after_failure,
    after_invalidation,
    decide,
    reason_to_refuse,
    retry_delay,
)

VARIABLE = "BOTOCORE_EXT_CONFORMANCE"
FILE = Path(
    os.environ.get(VARIABLE, ""), "smithy-rs/credential-refresh/credential-refresh-tests.json"
)
ABSENT = pytest.mark.skip(reason=f"{VARIABLE} names no directory with {FILE.name}")
VECTORS = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else []
CASES = [
    pytest.param(vector, id=f"{number}: {vector['documentation'][:60]}")
    for number, vector in enumerate(VECTORS)
] or [pytest.param({}, id="absent", marks=ABSENT)]

#: How much is left of the cached credentials, which lived for a quarter of an hour.
LEFT = {"valid": 600, "advisory": 180, "mandatory": 30, "expired": -1}
LIFETIME = 900


class Scripted:
    """What the steps of a vector answer."""

    def __init__(self, clock):
        self.clock, self.calls, self.step = clock, 0, {}

    def __call__(self):
        self.calls += 1
        answer = self.step.get("response", "error")  # a vector has none where no call is expected
        if answer == "error":
            raise FetchError(provider="vector", error_msg="recoverable")
        if answer == "nonRecoverableError":
            raise ConfigurationError(provider="vector", error_msg="not recoverable")
        left = -1 if answer == "staleCredentials" else self.step.get("lifetimeSeconds", LIFETIME)
        return FrozenCredentials(f"NEW{self.calls}", "secret", None, self.clock.at(left))


class DecisionAlone:
    """The pure functions, with the least around them that holds a state."""

    def __init__(self, source, clock, window, wait):
        self.source, self.clock, self.window, self.wait = source, clock, window, wait
        self.state = State()

    def now(self):
        return Moment(self.clock.now(), self.clock.monotonic())

    def start_with(self, keys):
        self.state = State(keys, obtained=self.now())

    def invalidate(self, access_key):
        self.state = after_invalidation(self.state, access_key, self.now())

    def get(self):
        decision = decide(self.state, self.now(), self.window)
        if decision is Decision.RAISE:
            raise self.state.last_error
        if decision in (Decision.TRY, Decision.MUST):
            try:
                self._fetch()
            except FetchError as error:
                self._fail(error)
                if self.state.credentials is None:
                    raise
            except ConfigurationError as error:
                self._fail(error)
                raise
        return self.state.credentials.access_key

    def _fetch(self):
        keys = self.source()
        fact = reason_to_refuse(self.state, keys, self.now())
        if fact is not None:
            raise FetchError(provider="vector", error_msg=fact)
        self.state = State(keys, obtained=self.now())

    def _fail(self, error):
        self.state = after_failure(self.state, error, self.now(), self.clock.random(), self.wait)

    def opens(self, window):
        return advisory_window(self.state.lifetime, self.window) == window


class VectorProvider(Provider):
    METHOD = "custom-vector"
    CANONICAL_NAME = "CustomVector"
    FACTORY = "from_vector"

    def fetch(self):
        return self.source()


class WholeObject:
    """The credentials object that botocore signs with."""

    def __init__(self, source, clock, window, wait):
        provider = VectorProvider(refresh_window=window).bind(Scope(clock=clock))
        provider.source = source
        self.clock, self.credentials = clock, ProviderCredentials(provider, wait)
        self.start_with, self.invalidate = self.credentials._start_with, self.credentials.invalidate

    def get(self):
        return self.credentials.get_frozen_credentials().access_key

    def opens(self, window):
        """Whether the next use fetches from ``window`` seconds before expiry on, and not before."""
        now = self.clock.time
        self.clock.time = self.credentials.expiration.timestamp() - window
        inside = self.credentials.refresh_needed()
        self.clock.time -= 1
        before = self.credentials.refresh_needed()
        self.clock.time = now
        return inside and not before


def discrepancies(vector, kind, clock, wait):
    """Replay one vector; return the steps that came out otherwise, with what came."""
    given, source = vector["given"], Scripted(clock)
    subject = kind(source, clock, given.get("configuredAdvisoryWindowSeconds", "auto"), wait)
    if given["cachedCredentials"] != "none":
        key = given.get("accessKeyId", "CACHED")
        subject.start_with(FrozenCredentials(key, "secret", None, clock.at(LIFETIME)))
        clock.advance(LIFETIME - LEFT[given["cachedCredentials"]])
    found = []
    for step in vector["steps"]:
        if step["type"] == "advanceTime":
            clock.advance(step["seconds"])
        elif step["type"] == "invalidate":
            subject.invalidate(step["rejectedAccessKeyId"])
        else:
            came = outcome(subject, source, step)
            if came != expected(step):
                found.append((step, came))
    return found


def outcome(subject, source, step):
    source.step, before = step, source.calls
    try:
        fresh = subject.get().startswith("NEW")
        result = "newCredentials" if fresh else "cachedCredentials"
    except ConfigurationError:
        result = "nonRecoverableError"
    except FetchError:
        result = "noCredentialsError"
    window = step["expected"].get("advisoryWindowSeconds")
    return result, source.calls > before, window is None or subject.opens(window)


def expected(step):
    return step["expected"]["result"], step["expected"]["sourceContacted"], True


def aws_wait(vector):
    """AWS's own wait, which two of the vectors fix."""
    fixed = vector["given"].get("refreshBackoffSeconds")
    return lambda _state, _now, chance: 300 + 300 * chance if fixed is None else fixed


@pytest.mark.parametrize("kind", [DecisionAlone, WholeObject])
@pytest.mark.parametrize("vector", CASES)
def test_a_vector_of_aws_is_met(vector, kind, clock):
    assert discrepancies(vector, kind, clock, aws_wait(vector)) == []


@pytest.mark.parametrize("kind", [DecisionAlone, WholeObject])
@pytest.mark.parametrize("vector", CASES)
def test_our_own_waits_differ_where_a_vector_fixes_the_wait(vector, kind, clock):
    """Once credentials have expired ours are shorter, on purpose: 20 and 22 attempt earlier."""
    found = discrepancies(vector, kind, clock, retry_delay)
    assert bool(found) == ("refreshBackoffSeconds" in vector["given"])
    assert all(attempted for _, (_, attempted, _) in found)


@pytest.mark.skipif(not VECTORS, reason=ABSENT.kwargs["reason"])
def test_there_are_twenty_four_of_which_two_fix_the_wait():
    assert len(VECTORS) == 24
    fixed = [at for at, one in enumerate(VECTORS) if "refreshBackoffSeconds" in one["given"]]
    assert fixed == [20, 22]
