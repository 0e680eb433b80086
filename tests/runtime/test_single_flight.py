"""What threads share, seen from within; the rest is in ``test_refresh`` and ``test_threads``."""

import contextvars
import threading
from itertools import count

import pytest
from botocore.exceptions import ClientError

from botocore_ext import Attempt, ChainError
from botocore_ext.runtime.single_flight import (
    Flight,
    NeedsItselfError,
    Once,
    ProcessLocal,
    SingleFlight,
    StillUnderWayError,
    current_flights,
    join_flight,
    own_copy,
)
from tests import fakes
from tests.refresh.test_refresh import together
from tests.runtime.test_callers import at_line


def test_a_value_is_created_once_for_each_process():
    made = []
    local = ProcessLocal(lambda: made.append(1) or len(made))
    assert [local.get(), local.get()] == [1, 1]
    with fakes.another_process():
        assert set(together(8, local.get)) == {2}


def test_threads_of_a_new_process_share_one_value():
    made, both = [], threading.Barrier(2)
    local = ProcessLocal(list)
    local._make = lambda: both.wait(10) is None or made.append(1) or object()
    with fakes.another_process():
        assert len(set(together(2, local.get))) == 1
    assert len(made) == 2


def test_call_that_waits_for_itself_is_an_error():
    flight = SingleFlight()
    with pytest.raises(NeedsItselfError):
        flight.run(lambda: flight.run(lambda: 1))


def test_calls_with_different_keys_are_not_shared():
    flight = SingleFlight()
    assert flight.run(lambda: flight.run(lambda: "inner", key=1), key=2) == "inner"


def test_interrupt_affects_only_its_own_thread():
    flight, started, waiting = SingleFlight(), threading.Event(), threading.Event()

    def interrupted():
        started.set()
        waiting.wait(30)
        raise KeyboardInterrupt

    def first():
        with pytest.raises(KeyboardInterrupt):
            flight.run(interrupted)

    thread = threading.Thread(target=first)
    thread.start()
    started.wait(30)
    threading.Timer(0.1, waiting.set).start()
    assert flight.run(lambda: "mine") == "mine"
    thread.join()


def test_an_interrupt_at_any_line_leaves_nothing_under_way():
    flight, once = SingleFlight(), Once(object)

    def interrupt():
        raise KeyboardInterrupt

    for at in count():
        raised = at_line(at, lambda made=once: flight.run(object) and made(), interrupt)
        assert flight.run(lambda: "mine", timeout=0) == "mine"
        assert once() is once()
        if not raised:
            break
        once = Once(object)
    assert at > 20


def test_the_wait_for_another_thread_may_be_limited():
    flight, started, over = SingleFlight(), threading.Event(), threading.Event()
    work = threading.Thread(target=flight.run, args=(lambda: started.set() or over.wait(30),))
    work.start()
    started.wait(30)
    with pytest.raises(StillUnderWayError):
        flight.run(lambda: "mine", timeout=0)
    over.set()
    work.join()


def test_concurrent_callers_create_one_value():
    made, never = [], threading.Event()
    once = Once(lambda: made.append(1) or never.wait(0.05) or object())
    assert len(set(together(16, once))) == 1
    assert once() is once()
    assert len(made) == 1


def test_a_failed_creation_is_tried_again():
    answers = [OSError("not yet"), "made"]

    def make():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    once = Once(make)
    with pytest.raises(OSError, match="not yet"):
        once()
    assert once() == "made"


def test_a_signal_handler_during_a_creation_creates_it():
    made = []

    def make():
        made.append(1)
        return object() if len(made) > 1 else [once(), object()][1]

    once = Once(make)
    assert once() is once()
    assert len(made) == 2


class Vault(Exception):  # noqa: N818 - any error of a user's
    """Takes other arguments than its text."""

    def __init__(self, path):
        super().__init__(f"nothing at {path}")
        self.path = path


class Lock(Exception):  # noqa: N818 - any error of a user's
    """Cannot be copied."""

    def __new__(cls, key):
        return super().__new__(cls, key)

    def __init__(self, key):
        super().__init__()
        self.key = key


def test_errors_are_copied_with_all_that_they_say():
    with pytest.raises(OSError, match="file") as missing:
        open("/nowhere/file")  # noqa: PTH123, SIM115 - it fails
    errors = [
        LookupError("a", 1),
        Vault("/secret"),
        missing.value,
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ImportError("no", name="module"),
        ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"),
        ChainError(provider="chain", attempts=[Attempt("link", "no")]),
    ]
    for error in errors:
        error.__cause__ = error.__context__ = ValueError("another request's")
        copied = own_copy(error)
        assert copied is not error
        assert (type(copied), str(copied), copied.args) == (type(error), str(error), error.args)
        assert vars(copied) == vars(error)
        assert (copied.__cause__, copied.__context__, copied.__traceback__) == (None, None, None)
        assert error.__cause__ is not None
    assert own_copy(errors[2]).filename == "/nowhere/file"
    assert own_copy(one := Lock(key=1)) is one


def test_a_call_that_a_task_leads_keeps_its_outcome():
    """As in sessions of aiobotocore, where a task has a context of its own."""
    flight = Flight()
    flight.set_result(3)
    flight.end()
    assert flight.outcome() == [3]
    failed, error = Flight(), LookupError("no")
    failed.set_error(error)
    for is_first in (True, False):
        with pytest.raises(LookupError) as raised:
            failed.outcome()
        assert (raised.value is error) == is_first

    def task():
        join_flight(flight)
        return current_flights()

    assert contextvars.copy_context().run(task) == (flight,)
    assert current_flights() == ()
