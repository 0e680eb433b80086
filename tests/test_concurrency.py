"""What threads share, seen from within; the rest is in ``test_refresh`` and ``test_threads``."""

import itertools
import sys
import threading

import pytest

from botocore_ext.threads import concurrency
from botocore_ext.threads.concurrency import (
    NeedsItselfError,
    Once,
    ProcessLocal,
    SingleFlight,
    StillUnderWayError,
)

from . import fakes
from .test_refresh import together


def test_a_value_is_made_once_for_each_process():
    made = []
    local = ProcessLocal(lambda: made.append(1) or len(made))
    assert [local.get(), local.get()] == [1, 1]
    with fakes.another_process():
        assert set(together(8, local.get)) == {2}


def test_threads_that_wait_for_the_value_of_a_new_process_share_it():
    made = []
    local = ProcessLocal(lambda: made.append(1) or len(made))
    with fakes.another_process():
        with concurrency._guard:
            threads = [threading.Thread(target=local.get) for _ in range(4)]
            for thread in threads:
                thread.start()
            threads[0].join(0.1)  # all have seen by now that the value is another process's
            assert len(made) == 1
        for thread in threads:
            thread.join()
    assert len(made) == 2


def test_a_lock_that_a_fork_left_held_is_replaced():
    """The thread that held it does not exist in the child."""
    left = concurrency._guard
    with left:
        concurrency._after_fork()
        assert concurrency._guard is not left
        assert not concurrency._guard.locked()


def test_a_call_that_needs_itself_is_told_so():
    flight = SingleFlight()
    with pytest.raises(NeedsItselfError):
        flight.run(lambda: flight.run(lambda: 1))


def test_calls_with_different_keys_are_not_shared():
    flight = SingleFlight()
    assert flight.run(lambda: flight.run(lambda: "inner", key=1), key=2) == "inner"


def test_of_threads_that_come_at_once_one_looks_for_a_call_at_a_time():
    flight, calls = SingleFlight(), []
    lock, _ = flight._flights.get()
    thread = threading.Thread(target=flight.run, args=(lambda: calls.append(1),))
    with lock:
        thread.start()
        thread.join(0.1)
        assert calls == []
    thread.join()
    assert calls == [1]


def test_a_call_is_not_over_while_another_thread_is_about_to_wait_for_it():
    flight, started, over = SingleFlight(), threading.Event(), threading.Event()
    lock, flights = flight._flights.get()
    thread = threading.Thread(target=flight.run, args=(lambda: started.set() or over.wait(30),))
    thread.start()
    started.wait(30)
    with lock:
        over.set()
        thread.join(0.1)
        assert len(flights) == 1
    thread.join()
    assert flights == {}


def test_a_thread_that_is_interrupted_does_not_interrupt_the_others():
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


def interrupting(at):
    """Return a profiler that interrupts ``run`` where it calls something for the n-th time."""
    calls = itertools.count()

    def profile(frame, event, _):
        is_call = event == "call" and frame.f_back.f_code is SingleFlight.run.__code__
        if is_call and next(calls) == at:
            raise KeyboardInterrupt

    return profile


def test_wherever_a_thread_is_interrupted_nobody_waits_for_what_has_ended():
    flight, was_interrupted = SingleFlight(), True
    for at in itertools.count():
        before = sys.getprofile()
        sys.setprofile(interrupting(at))
        try:
            flight.run(lambda: 1)
            was_interrupted = False
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(before)
        assert flight.run(lambda: "mine", patience=0) == "mine"
        if not was_interrupted:
            break
    assert at > 1


def test_the_wait_for_another_thread_may_be_limited():
    flight, started, over = SingleFlight(), threading.Event(), threading.Event()
    work = threading.Thread(target=flight.run, args=(lambda: started.set() or over.wait(30),))
    work.start()
    started.wait(30)
    with pytest.raises(StillUnderWayError):
        flight.run(lambda: "mine", patience=0)
    over.set()
    work.join()


def test_one_thing_is_made_however_many_ask():
    made, never = [], threading.Event()
    once = Once(lambda: made.append(1) or never.wait(0.05) or object())
    assert len(set(together(16, once))) == 1
    assert once() is once._first()
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again():
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
