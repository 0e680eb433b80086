"""An interrupt at any line of a fetch leaves nothing behind: the next fetch works."""

import contextvars
import logging
import os
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path
from subprocess import Popen

import pytest

import botocore_ext
from botocore_ext import (
    FrozenCredentials,
    create_credential_chain,
    from_web_token,
    use_credentials,
)
from botocore_ext.runtime.files import Replacement
from botocore_ext.runtime.process import output_of

PACKAGE = str(Path(botocore_ext.__file__).parent)
ROLE = "arn:aws:iam::123456789012:role/Web"


class InterruptionError(KeyboardInterrupt):
    """The one that a test makes."""


def is_ours(code):
    return code.co_filename.startswith(PACKAGE)


def is_waiting(code):
    return code in {Popen._internal_poll.__code__, Popen._wait.__code__}


def is_interrupted(work, kind, tried, is_there=is_ours):
    """Interrupt ``work`` in this package where it never was; return whether there was a place.

    Args:
        work: What to run.
        kind: Of event: ``line`` or ``opcode``.
        tried: The places until now, to which the new one is added.
        is_there: Whether to interrupt within this code.
    """

    def on_event(frame, event, _):
        if not is_there(frame.f_code):
            return None
        frame.f_trace_opcodes = kind == "opcode"
        if event == kind:
            place = (frame.f_code, frame.f_lasti if kind == "opcode" else frame.f_lineno)
            if place not in tried:
                tried[place] = None
                raise InterruptionError
        return on_event

    before = len(tried)
    sys.settrace(on_event)
    try:
        work()
    except InterruptionError:
        return True
    finally:
        sys.settrace(None)
    assert len(tried) == before, "the interrupt was lost"
    return False


def in_thread(work):
    """Run ``work`` in a thread, which has a trace function and a context of its own."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in raised:
        raise error


def what_is_set():
    """Return the variables of this package, and of botocore, that are set in this thread."""
    context = contextvars.copy_context()
    return {one.name: value for one, value in context.items() if one.name.startswith("botocore")}


def check_each(credentials, caplog, kind):
    """Interrupt a refresh everywhere, and look at what is left and whether the next one works."""
    log = logging.getLogger("botocore.endpoint")
    caplog.set_level(logging.WARNING)
    tried = {}
    while is_interrupted(credentials.refresh, kind, tried):
        place = f"interrupted at {[*tried][-1]}"
        assert what_is_set() == {}, place
        served = credentials.get_frozen_credentials().access_key
        credentials.refresh()
        assert credentials.get_frozen_credentials().access_key != served, place
        caplog.clear()
        log.warning("a record of the caller's own")
        assert caplog.messages == ["a record of the caller's own"], place
    assert len(tried) > 100


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_interrupt_at_any_line_of_a_call_leaves_nothing(aws, caplog, uncollected):
    """A connection on its way back into the pool is closed, because it has no owner."""
    credentials = from_web_token(role_arn=ROLE, web_identity_token="the-token").load()
    credentials.refresh()
    in_thread(lambda: check_each(credentials, caplog, "line"))
    assert aws.connections < len(aws.requests) / 2  # most interrupts cost no connection


@pytest.mark.skipif(
    sys.version_info[:2] == (3, 12), reason="traces no instruction at first, then finalizers too"
)
def test_an_interrupt_at_any_instruction_leaves_nothing(caplog, uncollected):
    """Without the call: what surrounds each fetch, and what threads share."""
    numbers = count(1)
    chain = create_credential_chain(
        lambda: FrozenCredentials(f"AKIA{next(numbers)}", "the-secret")
    ).load()
    chain.refresh()
    in_thread(lambda: check_each(chain, caplog, "opcode"))


def test_a_request_takes_no_lock_that_interrupts_leave_held(aws):
    """An interrupt within ``Condition.__enter__`` leaves its lock held.

    Threads share the connections: with a lock like that, one of ``queue``, they would never end.
    """
    credentials = from_web_token(role_arn=ROLE, web_identity_token="the-token").load()
    credentials.refresh()
    ran = set()

    def refresh():
        sys.settrace(lambda frame, *_: ran.add(frame.f_code))
        credentials.refresh()

    in_thread(refresh)
    assert threading.Condition.__enter__.__code__ not in ran


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_an_interrupt_while_a_process_is_awaited_is_raised():
    """One within ``Popen.poll`` leaves its lock held, for which nothing may wait for ever."""
    tried = {}

    def work():
        output_of(["sh", "-c", "echo printed; sleep 0.06"], 5)

    def check():
        while is_interrupted(work, "line", tried, is_waiting):
            pass

    in_thread(check)
    assert {code.co_name for code, _ in tried} == {"_internal_poll", "_wait"}


def descriptors():
    """Return the open descriptors, without the one that lists them."""
    return sum(one.exists() for one in Path("/proc/self/fd").iterdir())


def run_interrupted(seconds, work):
    """Interrupt ``work`` after some time, if it is not over by then."""
    armed = [seconds]

    def interrupt(*_):
        if armed:
            raise InterruptionError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            work()
        finally:
            armed.clear()
    except InterruptionError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_interrupt_ends_the_process_at_once(tmp_path):
    """Before the interrupt reaches the caller, who may end the program."""
    began = time.monotonic()
    command = ["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60 >&- 2>&-"]
    run_interrupted(0.3, lambda: output_of(command, None))
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_an_interrupt_of_a_replacement_leaves_no_descriptor(tmp_path):
    def work():
        with Replacement(str(tmp_path / "token")) as replacement:
            replacement.write("the-token")
            replacement.commit()

    def check():
        before, tried = descriptors(), {}
        while is_interrupted(work, "line", tried):
            assert descriptors() == before, [*tried][-1]
        assert len(tried) > 10

    in_thread(check)


def test_an_interrupt_of_a_block_leaves_no_identity():
    """Python does not leave a block that was not entered, and runs ``__exit__`` only once.

    What any context manager in Python does before its ``try`` can be interrupted.
    """
    block = use_credentials(lambda: FrozenCredentials("AKIA", "the-secret"))
    leaving = block.__exit__.__code__
    start = leaving.co_firstlineno  # Python 3.10 has no event for it
    before = {start, *sorted({line for *_, line in leaving.co_lines() if (line or 0) > start})[:2]}

    def work():
        with block:
            pass

    def check():
        tried = {}
        while is_interrupted(work, "line", tried):
            code, line = [*tried][-1]
            if code is leaving and line in before:
                block.__exit__()
            assert not any(what_is_set().values()), [*tried][-1]
        assert len(tried) > 10

    in_thread(check)
