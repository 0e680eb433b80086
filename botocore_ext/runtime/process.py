"""What a process prints, within a size and a time."""

import os
import selectors
import time
from collections.abc import Sequence
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, Any, NamedTuple, cast

from ..errors import LONGEST_TEXT

#: Bytes that a process may print.
LARGEST = 1024 * 1024
#: Seconds after which it is looked whether the process has ended: a process that it has started
#: may hold its standard output for longer.
_LOOK = 0.05
_PIECE = 64 * 1024


class Output(NamedTuple):
    """What came of a process."""

    status: int
    #: Its standard output; None: there was too much of it, and the process was ended.
    printed: bytes | None
    #: The beginning of its standard error.
    complaint: str


def output_of(arguments: Sequence[str], seconds: float | None, stdin: int | None = None) -> Output:
    """Run a process, and return what it printed.

    Args:
        arguments: Its program and arguments.
        seconds: How long it may take; None: as long as it wants.
        stdin: Its standard input; None: that of this process.

    Raises:
        TimeoutExpired: It took longer, and was ended.
        OSError: It cannot be started.
        ValueError: An argument has a character that no program takes.
    """
    with Popen(arguments, stdin=stdin, stdout=PIPE, stderr=PIPE) as process:  # noqa: S603 - running the user's command is the purpose
        began = time.monotonic()
        try:
            printed, complaint = _communicate(process, None, seconds)
            is_whole = len(printed) <= LARGEST
            if is_whole:  # it may have closed its standard output and go on
                process.wait(seconds and max(0, began + seconds - time.monotonic()))
        finally:
            process.kill()  # unless it has ended
    text = complaint[:LONGEST_TEXT].decode("utf-8", "replace").strip()
    return Output(process.returncode, printed if is_whole else None, text)


def _selected(process: Popen[bytes], _: None, seconds: float | None) -> tuple[bytes, bytes]:
    """Read both outputs as ``Popen.communicate`` does, but no more than is needed of them.

    It ends with the process, though others, which it has started, may go on writing.
    """
    out, complaints = cast("tuple[IO[bytes], IO[bytes]]", (process.stdout, process.stderr))
    limits = {out: LARGEST + 1, complaints: LONGEST_TEXT}
    kept = {pipe: bytearray() for pipe in limits}
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for pipe in limits:
            selector.register(pipe, selectors.EVENT_READ, pipe)
        while selector.get_map():
            has_ended = process.poll() is not None
            ready = [key.data for key, _ in selector.select(0 if has_ended else _LOOK)]
            if has_ended and not any(len(kept[pipe]) < limits[pipe] for pipe in ready):
                break
            for pipe in ready:
                piece = os.read(pipe.fileno(), _PIECE)
                if not piece:
                    selector.unregister(pipe)
                kept[pipe] += piece
                del kept[pipe][limits[pipe] :]
            if len(kept[out]) > LARGEST:
                break
            if seconds is not None and time.monotonic() > began + seconds:
                raise TimeoutExpired(process.args, seconds)
    return bytes(kept[out]), bytes(kept[complaints])


#: On Windows no pipe can be waited for but by a thread.
_communicate: Any = Popen.communicate if os.name == "nt" else _selected
