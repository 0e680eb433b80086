"""Callers that share credentials: what one of them does fails none of the others."""

import gc
import sys
import threading
import traceback
import weakref
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path

import pytest

import botocore_ext
from botocore_ext import ConfigurationError, FrozenCredentials, Session, from_http, from_web_token
from tests import fakes
from tests.refresh.test_refresh import ROLE, together

TOKEN = "web_identity_token"
STS = "AssumeRoleWithWebIdentity"
PACKAGE = str(Path(botocore_ext.__file__).parent)


where = []


@pytest.fixture
def web(aws):
    return from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))


def at_line(at, work, use):
    """Run ``work`` in a thread that calls ``use`` before its n-th line of the package."""
    raised, lines = [], count()

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and next(lines) == at:
            where.append((frame.f_code.co_filename, frame.f_lineno))
            use()
        return trace

    def run():
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - an outcome
            raised.append(error)
        finally:
            sys.settrace(before)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), f"it waits for ever, by what was done at {where[-1:]}"
    return raised


def credentials_of(function):
    """Return the credentials of a callable, and the numbers of its calls."""
    calls = []
    session = Session(credentials=lambda: calls.append(1) or function(len(calls)))
    return session.get_credentials(), calls


def numbered(number):
    return FrozenCredentials(f"AKIA{number}", fakes.secret())


def test_forty_overlapping_refreshes_are_forty_successes(web, aws):
    credentials = web.load()
    credentials.get_frozen_credentials()
    aws.delay = 0.02
    assert together(40, credentials.refresh) == [None] * 40
    keys = together(40, lambda: web.invalidate() or credentials.get_frozen_credentials())
    assert not [one for one in keys if isinstance(one, Exception)]


def test_invalidated_fetch_serves_its_caller_only(aws):
    """It began after the caller came. The next caller came after the invalidation."""
    provider = from_web_token(role_arn=ROLE)
    provider.web_identity_token = lambda: provider.invalidate() or fakes.secret("token")
    credentials = provider.load()
    first, second = (credentials.get_frozen_credentials() for _ in range(2))
    assert [first.access_key, second.access_key] == [one.gave for one in aws.requests]


def test_a_failure_during_an_invalidation_is_not_remembered(aws):
    provider = from_web_token(role_arn=ROLE)
    answers = [LookupError("no token"), "token"]

    def token():
        provider.invalidate()
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    provider.web_identity_token = token
    credentials = provider.load()
    with pytest.raises(LookupError):
        credentials.refresh()
    credentials.refresh()
    assert aws.operations() == [STS]


def test_a_token_that_is_replaced_during_a_fetch_is_used(aws):
    provider = from_web_token(role_arn=ROLE)
    new = fakes.secret("token")

    def token():
        provider.web_identity_token = new
        return fakes.secret("token")

    provider.web_identity_token = token
    key = provider.load().get_frozen_credentials().access_key
    assert key == aws.requests[1].gave
    assert aws.requests[1].parameters["WebIdentityToken"] == new


def test_callable_that_replaces_its_token_is_an_error(aws):
    """Each fetch would be followed by another one, for ever."""
    provider = from_web_token(role_arn=ROLE)

    def token():
        provider.web_identity_token = token
        return fakes.secret("token")

    provider.web_identity_token = token
    with pytest.raises(ConfigurationError, match="return the new token from the callable"):
        provider.load().get_frozen_credentials()
    assert len(aws.requests) == 2


def test_a_handler_may_use_them_at_any_line_of_a_refresh():
    """A signal handler, or a callback of the garbage collector."""
    credentials, calls = credentials_of(numbered)

    def number():
        return int(credentials.access_key.removeprefix("AKIA"))

    for at in count():
        used = []

        def use(used=used):
            number()
            credentials.invalidate()
            used.append(len(calls))

        assert at_line(at, credentials.refresh, use) == []
        assert number() > max(used, default=0)  # the invalidation is not lost
        if not used:
            break
    assert at > 50


def test_an_interrupt_at_any_line_of_a_refresh_leaves_no_waiter():
    credentials, _ = credentials_of(numbered)

    def interrupt():
        raise KeyboardInterrupt

    for at in count():
        raised = at_line(at, credentials.refresh, interrupt)
        for work in (credentials.get_frozen_credentials, credentials.refresh):
            assert at_line(-1, work, interrupt) == []
        if not raised:
            break
        assert [type(one) for one in raised] == [KeyboardInterrupt]
    assert at > 50


class TestErrors:
    """Each caller gets one of its own."""

    @pytest.fixture
    def credentials(self, web, aws):
        aws.always(STS, fakes.error("AccessDenied"))
        return web.load()

    def test_of_callers_that_waited_together(self, credentials, aws):
        aws.delay = 0.1

        def caller():
            try:
                credentials.get_frozen_credentials()
            except Exception as error:
                raise LookupError("mine") from error

        errors = [one.__cause__ for one in together(8, caller)]
        assert len({id(one) for one in errors}) == 8
        assert {str(one) for one in errors} == {str(errors[0])}
        assert {type(one) for one in errors} == {type(errors[0])}
        for one in errors:
            frames = [frame.name for frame in traceback.extract_tb(one.__traceback__)]
            assert frames.count("caller") == 1
        assert len(aws.requests) == 1

    def test_of_a_later_caller(self, credentials, aws):
        errors = [together(1, credentials.get_frozen_credentials)[0] for _ in range(3)]
        errors += [credentials.last_error, credentials.last_error]
        assert len({id(one) for one in errors}) == 5
        assert {str(one) for one in errors} == {str(errors[0])}
        for one in errors[1:]:
            assert (one.__cause__, one.__context__) == (None, None)
        depths = [len(traceback.extract_tb(one.__traceback__)) for one in errors]
        assert depths[1] == depths[2]
        assert depths[3] == 0
        assert len(aws.requests) == 1

    @pytest.mark.parametrize("is_chain", [False, True])
    def test_remembered_ones_keep_no_frame_of_a_caller(self, is_chain):
        """The content of a frame, such as a user's request, would stay in memory until then."""

        class Request:
            pass

        def refused():
            raise ConfigurationError(provider="mine", error_msg="refused")

        source = from_web_token(role_arn=ROLE)
        source.web_identity_token = refused
        if is_chain:
            source = botocore_ext.create_credential_chain(from_http(), source)
        credentials = source.load()

        def caller():
            request = Request()
            with suppress(ConfigurationError):
                credentials.get_frozen_credentials()
            return weakref.ref(request)

        gc.disable()
        try:
            request = caller()
            assert credentials.last_error is not None
            assert request() is None
        finally:
            gc.enable()


class TestCircles:
    """Those that no single thread goes round."""

    def test_two_providers_that_wait_for_each_other(self):
        both = threading.Barrier(2)
        providers = [from_web_token(role_arn=ROLE) for _ in range(2)]
        credentials = [one.load() for one in providers if setattr(one, TOKEN, "token") is None]

        def token_of(other):
            both.wait(10)
            return other.access_key

        for one, other in zip(providers, reversed(credentials), strict=True):
            one.web_identity_token = partial(token_of, other)
        works = iter(credentials)
        outcomes = together(2, lambda: next(works).get_frozen_credentials())
        assert [type(one) for one in outcomes] == [ConfigurationError] * 2

    def test_two_sessions_that_wait_for_each_other(self):
        both, sessions = threading.Barrier(2), []

        def keys_of(number):
            with suppress(threading.BrokenBarrierError):
                both.wait(0.1)
            return sessions[number].get_credentials().get_frozen_credentials()

        sessions += [
            Session(credentials=lambda: keys_of(1)),
            Session(credentials=lambda: keys_of(0)),
        ]
        works = iter(sessions)
        outcomes = together(2, lambda: next(works).get_credentials())
        assert [type(one) for one in outcomes] == [ConfigurationError] * 2

    def test_a_callable_that_installs_another_each_time(self):
        """No two of them are the same, so that only their number shows the circle."""

        def build():
            def assume():
                botocore_ext.install(build())
                return Session().get_credentials()

            return assume

        botocore_ext.install(build())
        with pytest.raises(ConfigurationError, match="depends on itself"):
            Session().get_credentials()

    def test_a_callable_that_installs_itself(self):
        calls = []

        def assume():
            calls.append(1)
            botocore_ext.install(assume)
            return Session().get_credentials()

        botocore_ext.install(assume)
        with pytest.raises(ConfigurationError, match="depends on itself"):
            Session().get_credentials()
        assert calls == [1]
