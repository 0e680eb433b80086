"""The thread for code of other packages, which may be left behind."""

import signal
import subprocess
import sys
import threading

import pytest

from botocore_ext.runtime import helper_thread
from botocore_ext.runtime.helper_thread import run_within
from tests import fakes


def left_behind():
    return [one for one in threading.enumerate() if one.name == helper_thread.LEFT_BEHIND]


def test_work_is_done_in_a_thread_that_ends_with_it():
    thread = run_within(10, threading.current_thread)
    assert thread is not threading.current_thread()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("seconds", [0.01, 0, -1])
def test_work_that_takes_too_long_is_left_behind(seconds):
    go_on = threading.Event()
    with pytest.raises(TimeoutError):
        run_within(seconds, lambda: go_on.wait(10))
    assert len(left_behind()) == 1
    go_on.set()
    assert fakes.comes_true(lambda: not left_behind())


def test_no_more_than_eight_are_left_behind():
    go_on, begun = threading.Event(), []
    for _ in range(10):
        with pytest.raises(TimeoutError):
            run_within(0.01, lambda: begun.append(1) or go_on.wait(10))
    assert len(left_behind()) == len(begun) == 8
    go_on.set()
    assert fakes.comes_true(lambda: not left_behind())
    assert run_within(10, lambda: 7) == 7


def test_work_whose_caller_was_interrupted_counts_as_left_behind():
    go_on = threading.Event()

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_within(10, lambda: go_on.wait(10))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(left_behind()) == 1
    go_on.set()
    assert fakes.comes_true(lambda: not left_behind())


@pytest.mark.parametrize("kind", [KeyError, SystemExit])
def test_what_the_work_raises_reaches_the_caller(kind):
    def fail():
        raise kind

    with pytest.raises(kind):
        run_within(10, fail)


AT_THE_END = """
import builtins, sys
from botocore_ext.runtime.helper_thread import run_within

class Late:
    def __del__(self, run_within=run_within, write=sys.stdout.write):
        write(str(run_within(60, lambda: 7)))

builtins.late = Late()
"""


def test_work_while_modules_are_torn_down_is_not_stuck():
    """Daemons do not run any more then, and before Python 3.12 starting one never returns."""
    command = [sys.executable, "-c", AT_THE_END]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (b"7", b"")


def test_without_threads_there_is_no_limit(mocker):
    """Python 3.12 and later refuse to start one while the interpreter ends."""
    error = RuntimeError("can't create new thread at interpreter shutdown")
    mocker.patch("threading.Thread.start", side_effect=error)
    assert run_within(0, threading.get_ident) == threading.get_ident()


def test_while_the_interpreter_ends_there_is_no_limit(mocker):
    mocker.patch("sys.is_finalizing", return_value=True)
    assert run_within(0, threading.get_ident) == threading.get_ident()
