"""Run a program in the place of this one: its signals and its exit status are passed on."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .failures import CommandError

#: Of these, the first two also come from a terminal, which sends them to the program itself.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
_FORWARDED = (*_FROM_TERMINAL, "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


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

    numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - the caller's command
        for number in early:
            forward(number, None)
        status = child.wait()
    except OSError as error:
        reason = f"{command[0]} could not be started: {error.strerror}"
    else:
        return status if status >= 0 else 128 - status
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    raise CommandError(reason=reason)


def is_in_foreground(terminal: str) -> bool:
    """Return whether a terminal sends its signals to this process, and so to the program too."""
    with suppress(OSError), Path(terminal).open(encoding="utf-8") as file:
        return os.tcgetpgrp(file.fileno()) == os.getpgrp()
    return False


def _is_sent_to_all() -> bool:
    return os.name != "posix" or is_in_foreground(os.ctermid())
