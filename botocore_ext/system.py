"""The environment, clock, random numbers and files of this machine. Only this module uses them."""

import errno
import os
import random
import selectors
import stat
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from io import RawIOBase


def system_environment() -> Mapping[str, str]:
    """Return the environment of this process, live."""
    return os.environ


def uses_plugins() -> bool:
    """Return whether other installed packages may add providers and token schemes."""
    return os.environ.get("BOTOCORE_EXT_NO_PLUGINS", "") in ("", "0")


def hand_down(name: str, value: str) -> None:
    """Set an environment variable for child processes."""
    os.environ[name] = value


def _wall_clock() -> float:
    # Looked up each time, because libraries for tests replace it.
    return time.time()


class Clock:
    """Time and random numbers; a test passes its own."""

    def __init__(
        self,
        now: Callable[[], float] = _wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Take the functions.

        Args:
            now: Returns the seconds since 1970.
            monotonic: Returns the seconds of a monotonic clock.
            sleep: Waits for some seconds.
            random: Returns a random number from 0 up to 1.
        """
        self.now, self.monotonic, self.sleep, self.random = now, monotonic, sleep, random

    def utc(self) -> datetime:
        """Return the time as a ``datetime`` in UTC."""
        return datetime.fromtimestamp(self.now(), timezone.utc)


# Paths are strings, as users write them and botocore reads them: ``pathlib`` drops ``./`` and a
# last ``/``, and raises if there is no home directory, or no permission for a directory.

#: The largest file with a token, in bytes.
LARGEST = 1024 * 1024


def in_home(path: str) -> str:
    """Return the path with ``~`` expanded, if there is a home directory."""
    return os.path.expanduser(path)


def in_environment(path: str) -> str:
    """Return the path that botocore opens for an AWS file: variables are expanded too."""
    return in_home(os.path.expandvars(path))


def is_absolute(path: str) -> bool:
    """Return whether the path does not depend on the current directory; ``~`` may begin it."""
    return os.path.isabs(path) or path.startswith("~")


def is_file(path: str) -> bool:
    """Return whether there is a regular file."""
    return os.path.isfile(path)


def is_readable_by_all(path: str) -> bool:
    """Return whether every user of this machine can read a file."""
    return os.name == "posix" and bool(os.stat(path).st_mode & stat.S_IROTH)


#: What ``why_no_file`` returns for a path that is not there.
MISSING = "does not exist"


def why_no_file(path: str) -> str | None:
    """Return why botocore does not read an AWS file; None if it does."""
    opened = in_environment(path)
    if is_file(opened):
        return None
    if os.path.isdir(opened):
        return "is a directory"
    # Such as /dev/null, which botocore does not read.
    return "is not a regular file" if os.path.exists(opened) else MISSING


def describe_path(path: str) -> str:
    """Return the path of an AWS file, and why botocore does not read it, if so."""
    why = why_no_file(path)
    return f"{path} (which {why})" if why else path


def text_of(path: str, seconds: float = 0) -> str:
    """Return the content of a small UTF-8 file or device, or of a pipe written to in ``seconds``.

    Raises:
        OSError: It cannot be read, is larger than ``LARGEST``, or nothing is written to the pipe.
        UnicodeDecodeError: It is not UTF-8.
    """
    deadline, content = time.monotonic() + seconds, bytearray()
    with open(path, "rb", buffering=0, opener=_open) as file:
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


def _open(path: str, flags: int) -> int:
    """Open a file without waiting; a pipe without a writer is then empty."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
