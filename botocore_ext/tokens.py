"""Where a token comes from: a file, an environment variable, a process, the place of a program.

In Python a token is a string or any callable without arguments that returns one; the classes
here are such callables. In an ini file a token is the text itself or a reference: ``file://``,
``env://``, ``process://``, ``github-actions://`` or ``ambient://``. A source is read anew at every
fetch and never cached, because tokens are short-lived by nature.
"""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore.compat import compat_shell_split

from .errors import FetchError
from .scope import system_environment
from .threads.workers import run_within

if TYPE_CHECKING:
    from .sources.ambient import AmbientToken
    from .sources.github_actions import GitHubActionsToken

__all__ = [
    "AmbientToken",
    "GitHubActionsToken",
    "TokenFile",
    "TokenProcess",
    "TokenVariable",
]

#: What only few need -> the module that is loaded for it.
_HOMES = {"AmbientToken": "sources.ambient", "GitHubActionsToken": "sources.github_actions"}

#: Seconds that a ``process://`` command may take.
PROCESS_TIMEOUT = 60


#: Seconds that a file may take which is none, but a pipe.
PIPE_TIMEOUT = 5


@dataclass(frozen=True)
class TokenFile:
    """Reads the token from a UTF-8 file (``file://PATH``), absolute or beginning with ``~``."""

    path: str

    def __call__(self) -> str:
        """Return the file's content, stripped.

        Raises:
            FetchError: The file is missing, unreadable, not UTF-8 or empty.
        """
        path = self.path
        try:
            path = os.path.expanduser(path)  # noqa: PTH111 - keeps the text as the user knows it
            read = partial(_read, path)
            # Nobody may ever write to a pipe.
            token = read() if os.path.isfile(path) else run_within(PIPE_TIMEOUT, read)  # noqa: PTH113 - as above
        except TimeoutError:
            fact = f"gave nothing within {PIPE_TIMEOUT} seconds: it is a pipe; see who writes to it"
        except OSError as error:
            fact = f"cannot be read ({error.strerror}): check the path and who may read it"
        except UnicodeDecodeError:
            fact = "cannot be read (it is not UTF-8 text): write the token as plain text"
        except ValueError:  # a character that no path has
            fact = "cannot be read (no file has such a name): check the path"
        else:
            if token:
                return token
            fact = "is empty: wait until it is written, or check what writes it"
        raise FetchError(provider="token file", error_msg=f"the token file {path} {fact}")


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        return file.read().strip()


@dataclass(frozen=True)
class TokenVariable:
    """Reads the token from an environment variable (``env://NAME``)."""

    name: str
    environ: Mapping[str, str] = field(
        default_factory=system_environment, repr=False, compare=False
    )

    def __call__(self) -> str:
        """Return the variable's value, stripped.

        Raises:
            FetchError: The variable is not set, or empty.
        """
        value = None
        with suppress(UnicodeEncodeError):  # a name that no variable has
            value = self.environ.get(self.name)
        token = (value or "").strip()
        if token:
            return token
        state = "not set" if value is None else "empty"
        raise FetchError(
            provider="token variable",
            error_msg=f"the environment variable {self.name} is {state}: set it to the token",
        )

    def __reduce__(self) -> tuple[type["TokenVariable"], tuple[str]]:
        """Travel as the name; the environment of the receiving process holds there."""
        return type(self), (self.name,)


@dataclass(frozen=True)
class TokenProcess:
    """Takes the token from what a command prints (``process://COMMAND``).

    The command is split as botocore splits ``credential_process``; no shell runs.
    """

    command: str = field(repr=False)
    timeout: float = PROCESS_TIMEOUT

    def __call__(self) -> str:
        """Run the command and return its standard output, stripped.

        Raises:
            FetchError: The command cannot be started, fails, takes longer than ``timeout``
                seconds, or prints no UTF-8 text. Its standard error is part of the text.
        """
        arguments = self._arguments()
        try:
            done = subprocess.run(  # noqa: S603 - running the user's command is the purpose
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            fact = f"took longer than {self.timeout:g} seconds: run it by hand to see why"
        except OSError as error:
            fact = f"cannot be started ({error.strerror}): check the path of the program"
        except ValueError:
            fact = "cannot be started (it has a character that no program takes): check the command"
        else:
            problem = _problem(done)
            if problem is None:
                return done.stdout.decode("utf-8").strip()
            fact = problem
        raise FetchError(
            provider="token process", error_msg=f"the token process {arguments[0]} {fact}"
        )

    def _arguments(self) -> list[str]:
        fact = "is empty: name a program"
        try:
            arguments = list(compat_shell_split(self.command))
        except ValueError as error:
            arguments, fact = [], f"cannot be split into words ({error})"
        if arguments:
            return arguments
        raise FetchError(provider="token process", error_msg=f"the command of the token {fact}")


def _problem(done: "subprocess.CompletedProcess[bytes]") -> str | None:
    """Say why what a command printed is no token; None if it is one."""
    if done.returncode != 0:
        status = f"failed with exit status {done.returncode}"
        stderr = done.stderr.decode("utf-8", "replace").strip()
        return f"{status}: {stderr}" if stderr else f"{status} and no message: run it by hand"
    if not done.stdout.strip():
        return "printed nothing: it must print the token"
    try:
        done.stdout.decode("utf-8")
    except UnicodeDecodeError:
        return "printed something that is not UTF-8 text: it must print the token"
    return None


def __getattr__(name: str) -> Any:
    """Load the source that asks somebody (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__package__}.{home}"), name)
