"""Threads that do what must not take too long."""

import os
import queue
import subprocess
import sys
import threading
import weakref

import pytest

from botocore_ext.threads import workers
from botocore_ext.threads.concurrency import NeedsItselfError, SingleFlight
from botocore_ext.threads.workers import run_within

from . import fakes


@pytest.fixture(autouse=True)
def _no_worker_of_before():
    workers._end_all()


def test_calls_that_come_one_after_another_share_a_thread():
    threads = {run_within(10, threading.get_ident) for _ in range(5)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_calls_at_once_have_a_thread_each():
    together = threading.Barrier(2)

    def meet():
        return run_within(10, lambda: (together.wait(10), threading.get_ident())[1])

    second = []
    other = threading.Thread(target=lambda: second.append(meet()))
    other.start()
    first = meet()
    other.join()
    assert second != [first]


def test_a_thread_for_which_there_is_no_more_work_ends(monkeypatch):
    monkeypatch.setattr(workers, "_LINGER", 0.01)
    worker = run_within(10, threading.current_thread)
    worker.join(10)
    assert not worker.is_alive()
    assert workers._idle.get() == []


def test_a_thread_that_is_taken_while_it_gives_up_does_the_work(monkeypatch):
    monkeypatch.setattr(workers, "_LINGER", 0)
    worker = workers._Worker()
    worker.start()
    assert workers._idle.get() == []  # it finds that it has been taken, every time
    done = threading.Event()
    worker.do(lambda _: done.set())
    assert done.wait(10)
    worker.do(None)
    worker.join()


@pytest.mark.parametrize("seconds", [0.01, 0, -1])
def test_who_takes_too_long_is_left_behind_and_may_work_again(seconds):
    go_on, begun = threading.Event(), []
    with pytest.raises(TimeoutError):
        run_within(seconds, lambda: begun.append(threading.current_thread()) or go_on.wait(10))
    assert fakes.comes_true(lambda: begun)
    (late,) = begun
    assert run_within(10, threading.current_thread) is not late
    go_on.set()
    assert fakes.comes_true(lambda: late in workers._idle.get())
    assert late.is_alive()


def test_a_queue_that_is_patched_in_after_the_import_is_used(mocker):
    """As gevent does; with the old one every call would hold all greenlets for a second."""
    made = mocker.patch("queue.SimpleQueue", wraps=queue.SimpleQueue)
    run_within(10, int)
    assert made.call_count == 1


class _Answer:
    """Something that can be waited for to vanish."""


def test_nothing_of_the_work_is_kept(monkeypatch):
    monkeypatch.setattr(workers, "_LINGER", 60)
    answer = _Answer()
    held = weakref.ref(answer)
    assert run_within(10, lambda given=answer: given) is answer
    del answer
    assert fakes.comes_true(lambda: held() is None)  # before there is more work
    workers._end_all()


@pytest.mark.parametrize("kind", [KeyError, SystemExit])
def test_what_the_work_raises_reaches_the_caller(kind):
    def fail():
        raise kind

    with pytest.raises(kind):
        run_within(10, fail)
    assert run_within(10, threading.current_thread).is_alive()


def test_who_is_interrupted_while_a_thread_starts_leaves_none_that_waits_for_ever(monkeypatch):
    monkeypatch.setattr(workers, "_LINGER", 0.01)
    start, started = threading.Thread.start, []

    def interrupted(thread):
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_within(10, int)
    started[0].join(10)
    assert not started[0].is_alive()


def test_the_last_worker_may_be_taken_while_all_are_ended(monkeypatch):
    class Taken(list):
        """Somebody is faster, between a look and the hand."""

        def __bool__(self):
            return True

        def pop(self):
            return [].pop()

    monkeypatch.setattr(workers._idle, "_held", (os.getpid(), Taken()))
    workers._end_all()


def test_a_fork_waits_for_no_thread_for_ever(monkeypatch):
    monkeypatch.setattr(workers, "_LINGER", 0.01)
    go_on = threading.Event()
    stuck = workers._Worker()
    stuck.do(lambda _: go_on.wait(10))
    stuck.start()
    workers._idle.get().append(stuck)
    workers._end_all()
    assert stuck.is_alive()
    go_on.set()
    stuck.join()


AT_THE_END = """
import builtins, sys
from botocore_ext.threads.workers import run_within

class Late:
    def __del__(self, run_within=run_within, write=sys.stdout.write):
        write(str(run_within(60, lambda: 7)))

if {has_worker}:
    run_within(60, int)
builtins.late = Late()
"""


@pytest.mark.parametrize("has_worker", [True, False])
def test_what_calls_while_modules_are_torn_down_is_not_stuck(has_worker):
    """Daemons do not run any more then, and before Python 3.12 starting one never returns."""
    command = [sys.executable, "-c", AT_THE_END.format(has_worker=has_worker)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (b"7", b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_fork_leaves_no_thread_behind():
    """From Python 3.12 on, a fork where there are several is a warning, and so an error here."""
    worker = run_within(10, threading.current_thread)
    child = os.fork()
    if child == 0:
        try:
            run_within(10, threading.get_ident)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    assert not worker.is_alive()
    assert os.waitpid(child, 0)[1] == 0


def test_work_is_done_without_a_limit_where_no_thread_can_be_started_any_more(mocker):
    """Python 3.12 and later refuse that while the interpreter ends, as in ``atexit`` functions."""
    error = RuntimeError("can't create new thread at interpreter shutdown")
    mocker.patch("threading.Thread.start", side_effect=error)
    assert run_within(0, threading.get_ident) == threading.get_ident()


def test_work_is_done_without_a_limit_while_modules_are_torn_down(mocker):
    mocker.patch("sys.is_finalizing", return_value=True)
    assert run_within(0, threading.get_ident) == threading.get_ident()


def test_a_thread_that_works_for_another_is_that_one_to_a_call_that_waits_for_itself():
    flight = SingleFlight()

    def call():
        return run_within(10, lambda: flight.run(call))

    with pytest.raises(NeedsItselfError):
        flight.run(call)
