"""Files that several processes write: replace one in one step, and lock one."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..system import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

if sys.platform == "win32":  # pragma: no cover - the tests run elsewhere
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


#: Seconds between two attempts to lock a file.
_LOCK_INTERVAL = 0.05


class Replacement:
    """The next content of a file, which replaces it in one step, readable by its owner only.

    It is written to a file of its own in the same directory, created when the ``with`` block is
    entered: a directory that cannot be written to is an ``OSError`` before anything depends on it.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> "Self":
        """Create the file."""
        directory = Path(self._path).parent
        # Not a descriptor, which would stay open after an interrupt.
        self._file = tempfile.NamedTemporaryFile(
            "w", dir=directory, suffix=".tmp", delete=False, encoding="utf-8"
        )
        return self

    def write(self, content: str) -> None:
        """Write the content to the disk."""
        with self._file as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> None:
        """Replace the file."""
        Path(self._file.name).replace(self._path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was not committed."""
        self._file.close()
        with suppress(FileNotFoundError):
            Path(self._file.name).unlink()


@contextmanager
def lock_file(path: str, seconds: float) -> Iterator[None]:
    """Hold the lock on a file, which is created and readable by its owner only.

    The lock is that of one process and thread; it ends with the process.

    Raises:
        TimeoutError: Another process or thread has it for longer than ``seconds``.
        OSError: The file cannot be created.
    """
    clock = Clock()
    deadline = clock.monotonic() + seconds
    with open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        while not _has_lock(file.fileno()):
            if clock.monotonic() > deadline:
                raise TimeoutError
            clock.sleep(_LOCK_INTERVAL)
        try:
            yield
        finally:  # a child that was forked meanwhile has the file open, and so the lock
            _unlock(file.fileno())


def _has_lock(handle: int) -> bool:
    try:
        _lock(handle)
    except OSError:
        return False
    return True
