"""Run a program in the place of this one: its signals and its exit status are passed on."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .failures import CommandError

#: Of these, the first two also come from a terminal, which sends them to the program itself.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
_FORWARDED = (*_FROM_TERMINAL, "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
#: Seconds between two checks whether the program has ended, if SIGCHLD was blocked by what started
#: this process.
_LONGEST_WAIT = 0.5
#: The exit statuses of a shell for a program that it does not find, or cannot run.
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def run_child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program and return its exit status; 128 and the number for a signal, as a shell does.

    Raises:
        CommandError: It cannot be started.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: object) -> None:
        from_terminal = signal.Signals(number).name in _FROM_TERMINAL and _is_sent_to_all()
        if child is None:
            early.append(number)
        elif not from_terminal:  # pragma: no branch - a test tries it in a process on a terminal
            child.send_signal(number)

    with _handle_signals(forward) as arrival:
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603 - the caller's command
        except OSError as error:
            is_absent = isinstance(error, FileNotFoundError)
            raise CommandError(
                reason=f"{command[0]} could not be started: {error.strerror}",
                status=NOT_FOUND if is_absent else NOT_EXECUTABLE,
            ) from None
        for number in early:
            forward(number, None)
        while os.name == "posix" and child.poll() is None:
            with suppress(TimeoutError):
                arrival.recv(1024)
        status = child.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _handle_signals(forward: Any) -> Iterator[socket.socket]:
    """Let ``forward`` handle signals, and yield a socket that has data when one arrives.

    It has data even if another thread gets the signal. Python runs handlers in the main thread
    only, and a main thread that waits for the program itself would not notice the signal. Signals
    that are ignored, as under ``nohup``, stay ignored, also by the program.
    """
    found = (getattr(signal, name, None) for name in _FORWARDED)
    numbers = [one for one in found if one and signal.getsignal(one) is not signal.SIG_IGN]
    ours, its = socket.socketpair()
    its.setblocking(False)  # noqa: FBT003 - the signature of sockets
    ours.settimeout(_LONGEST_WAIT)
    before = {number: signal.signal(number, forward) for number in numbers}
    if hasattr(signal, "SIGCHLD"):  # pragma: no branch - Windows has none
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    earlier = signal.set_wakeup_fd(its.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        its.close()


def is_in_foreground(terminal: str) -> bool:
    """Return whether a terminal sends its signals to this process, and so to the program too."""
    with suppress(OSError), Path(terminal).open(encoding="utf-8") as file:
        return os.tcgetpgrp(file.fileno()) == os.getpgrp()
    return False


def _is_sent_to_all() -> bool:
    return os.name != "posix" or is_in_foreground(os.ctermid())
