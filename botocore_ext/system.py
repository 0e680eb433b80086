"""The environment of this process, its clock and chance: no other module reaches for them."""

import errno
import os
import random
import selectors
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from io import RawIOBase


def system_environment() -> Mapping[str, str]:
    """Return the environment of this process, live."""
    return os.environ


def hand_down(name: str, value: str) -> None:
    """Set a variable for the processes that this one starts."""
    os.environ[name] = value


def _wall_clock() -> float:
    # Looked up each time: a library for tests may replace it, and then services believe it, too.
    return time.time()


@dataclass(frozen=True)
class Clock:
    """Time and chance, so that a test can hold both."""

    #: Seconds since 1970.
    now: Callable[[], float] = _wall_clock
    #: Seconds that only grow.
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    #: A number from 0 up to 1.
    random: Callable[[], float] = random.random

    def utc(self) -> datetime:
        """Return the time as botocore takes it."""
        return datetime.fromtimestamp(self.now(), timezone.utc)


# Paths as texts, as users write them and botocore reads them.
#
# ``pathlib`` drops what a text says (``./``, a last ``/``), and raises where there is no home, or
# where a directory may not be looked into.

#: Bytes that a file with a token may have.
LARGEST = 1024 * 1024


def in_home(path: str) -> str:
    """Return the path with the home directory in the place of ``~``, if there is one."""
    return os.path.expanduser(path)


def in_environment(path: str) -> str:
    """Return the path that botocore opens for one of the AWS files: with variables, too."""
    return in_home(os.path.expandvars(path))


def is_whole(path: str) -> bool:
    """Whether the path is the same from every directory."""
    return os.path.isabs(path) or path.startswith("~")


def is_file(path: str) -> bool:
    """Whether there is a file; a pipe is none."""
    return os.path.isfile(path)


def why_no_file(path: str) -> str | None:
    """Say why botocore reads nothing from an AWS file; None if it is there."""
    opened = in_environment(path)
    if is_file(opened):
        return None
    if os.path.isdir(opened):
        return "is a directory"
    # Such as /dev/null, which is no file to botocore.
    return "is no regular file" if os.path.exists(opened) else "does not exist"


def described(path: str) -> str:
    """Return the path of an AWS file, with why botocore reads nothing from it, if so."""
    why = why_no_file(path)
    return f"{path} (which {why})" if why else path


def text_of(path: str, seconds: float = 0) -> str:
    """Return the content of a small UTF-8 file, even if it is none: a device may have no end.

    Args:
        path: The file.
        seconds: How long to wait for what the writer of a pipe has not written yet.

    Raises:
        OSError: It cannot be read, is larger than ``LARGEST``, or nothing is written to the pipe.
        UnicodeDecodeError: It is not UTF-8.
    """
    deadline, content = time.monotonic() + seconds, bytearray()
    with open(path, "rb", buffering=0, opener=_opened) as file:
        while (piece := file.read(LARGEST + 1 - len(content))) != b"":
            content += piece or b""
            if len(content) > LARGEST:
                raise OSError(errno.EFBIG, f"it has more than {LARGEST} bytes")
            if piece is None and not _is_ready(file, deadline - time.monotonic()):
                raise OSError(errno.EAGAIN, f"nothing came within {seconds:g} seconds")
    return content.decode("utf-8")


def _is_ready(file: RawIOBase, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        return bool(selector.select(max(0, seconds)))


def _opened(path: str, flags: int) -> int:
    """Open a file; a pipe without a writer is empty rather than waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
