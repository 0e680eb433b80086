"""Run a process and read its output, with limits on size and time."""

import os
import selectors
import time
from collections.abc import Sequence
from contextlib import suppress
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, Any, cast

from ..errors import LONGEST_TEXT

#: The largest standard output, in bytes.
LARGEST = 1024 * 1024
#: Seconds between two checks whether the process has ended: a child of it may keep its standard
#: output open for longer.
_CHECK_INTERVAL = 0.05
_CHUNK = 64 * 1024
#: Seconds in which a process that was killed is expected to end.
_LONGEST_END = 1


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

    Raises:
        TimeoutExpired: It took longer, and was killed.
        OSError: It could not be started.
        ValueError: An argument has a character that the system does not accept.
    """
    process = Popen(arguments, stdin=stdin, stdout=PIPE, stderr=PIPE)  # noqa: S603 - running the user's command is the purpose
    with cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr):
        began = time.monotonic()
        try:
            printed, complaint = _communicate(process, None, seconds)
            is_whole = len(printed) <= LARGEST
            if is_whole:  # it may have closed its standard output and still run
                process.wait(seconds and max(0, began + seconds - time.monotonic()))
        finally:
            process.kill()  # unless it has ended
            # With a limit, because an interrupt within `poll` leaves the lock of Popen held.
            with suppress(TimeoutExpired):
                process.wait(_LONGEST_END)
    text = complaint[:LONGEST_TEXT].decode("utf-8", "replace").strip()
    return Output(process.returncode, printed if is_whole else None, text)


def _read_within_limits(
    process: Popen[bytes], _: None, seconds: float | None
) -> tuple[bytes, bytes]:
    """Read both outputs as ``Popen.communicate`` does, up to their limits.

    It ends with the process, even if children of the process still write.
    """
    out, complaints = cast("tuple[IO[bytes], IO[bytes]]", (process.stdout, process.stderr))
    limits = {out: LARGEST + 1, complaints: LONGEST_TEXT}
    received = {pipe: bytearray() for pipe in limits}
    began = time.monotonic()
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
            if seconds is not None and time.monotonic() > began + seconds:
                raise TimeoutExpired(process.args, seconds)
    return bytes(received[out]), bytes(received[complaints])


#: On Windows only a thread can wait for a pipe.
_communicate: Any = Popen.communicate if os.name == "nt" else _read_within_limits
