"""Run a process and read its output, with limits on size and time."""

import os
import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, TypeVar, cast

from ..errors import LONGEST_TEXT
from .helper_thread import run_uninterrupted

T = TypeVar("T")

#: The largest standard output, in bytes.
LARGEST = 1024 * 1024
#: Seconds between two checks whether the process has ended: a child of it may keep its standard
#: output open for longer.
_CHECK_INTERVAL = 0.05
_CHUNK = 64 * 1024


class Output:
    """The result of a process. Its ``repr`` does not show it."""

    def __init__(self, status: int, printed: bytes | None, complaint: str) -> None:
        """Take the exit status, the standard output, and the beginning of the standard error.

        The output is None if it was too large and the process was killed.
        """
        self.status, self.printed, self.complaint = status, printed, complaint


def output_of(arguments: Sequence[str], seconds: float | None, stdin: int | None = None) -> Output:
    """Run a process and return its output.

    Without ``seconds`` it has no limit, and without ``stdin`` the standard input of this process.

    It runs in a helper thread, because an interrupt within ``Popen`` can lose the process, leave a
    lock held, and close a descriptor twice, which then belongs to another thread.

    Raises:
        TimeoutExpired: It took longer, and was killed.
        OSError: It could not be started.
        ValueError: An argument has a character that the system does not accept.
    """
    limit = _Limit(seconds)
    return run_uninterrupted(partial(_run, arguments, stdin, limit), limit.interrupt)


class _Limit:
    """Until when a process may run."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._end = seconds, time.monotonic() + (seconds or 0)
        self._is_interrupted = False

    def interrupt(self) -> None:
        """End it now."""
        self._is_interrupted = True

    def check(self) -> None:
        """Raise ``TimeoutExpired`` if the process must end."""
        is_late = self._seconds is not None and time.monotonic() > self._end
        if is_late or self._is_interrupted:
            raise TimeoutExpired("", self._seconds or 0)

    def wait(self, wait: Callable[..., T]) -> T:
        """Call ``wait``, which takes a timeout, until it returns."""
        while True:
            with suppress(TimeoutExpired):
                return wait(timeout=_CHECK_INTERVAL)
            self.check()


def _run(arguments: Sequence[str], stdin: int | None, limit: _Limit) -> Output:
    limit.check()
    process = Popen(arguments, stdin=stdin, stdout=PIPE, stderr=PIPE)  # noqa: S603 - running the user's command is the purpose
    with process:
        try:
            printed, complaint = _communicate(process, limit)
            is_whole = len(printed) <= LARGEST
            if is_whole:  # it may have closed its standard output and still run
                limit.wait(process.wait)
        finally:
            process.kill()  # unless it has ended
    text = complaint[:LONGEST_TEXT].decode("utf-8", "replace").strip()
    return Output(process.returncode, printed if is_whole else None, text)


def _read_within_limits(process: Popen[bytes], limit: _Limit) -> tuple[bytes, bytes]:
    """Read both outputs as ``Popen.communicate`` does, up to their limits.

    It ends with the process, even if children of the process still write.
    """
    out, complaints = cast("tuple[IO[bytes], IO[bytes]]", (process.stdout, process.stderr))
    limits = {out: LARGEST + 1, complaints: LONGEST_TEXT}
    received = {pipe: bytearray() for pipe in limits}
    with selectors.DefaultSelector() as selector:
        for pipe in limits:
            selector.register(pipe, selectors.EVENT_READ, pipe)
        while selector.get_map():
            has_ended = process.poll() is not None
            ready = [key.data for key, _ in selector.select(0 if has_ended else _CHECK_INTERVAL)]
            if has_ended and not any(len(received[pipe]) < limits[pipe] for pipe in ready):
                break
            for pipe in ready:
                chunk = os.read(pipe.fileno(), _CHUNK)
                if not chunk:
                    selector.unregister(pipe)
                received[pipe] += chunk
                del received[pipe][limits[pipe] :]
            if len(received[out]) > LARGEST:
                break
            limit.check()
    return bytes(received[out]), bytes(received[complaints])


def _communicate_on_windows(process: Popen[bytes], limit: _Limit) -> tuple[bytes, bytes]:
    return limit.wait(process.communicate)  # pragma: no cover - the tests run elsewhere


#: On Windows only a thread can wait for a pipe.
_communicate = _communicate_on_windows if os.name == "nt" else _read_within_limits
