"""Token sources of this machine: a file, an environment variable, a process."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from botocore.compat import compat_shell_split

from ..errors import FetchError
from ..system import in_home, system_environment, text_of

if TYPE_CHECKING:
    from ..runtime.process import Output


class _Source:
    """A value: equal to another one of its class with the same settings, and never changed.

    These are not dataclasses, because a first resolve would pay 2 ms to define them.
    """

    #: The settings that make it equal, and those that its ``repr`` shows.
    _compared: tuple[str, ...]
    _shown: tuple[str, ...]

    def __init__(self, **settings: object) -> None:
        vars(self).update(settings)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed: create another one")

    def __eq__(self, other: object) -> bool:
        is_same_kind = type(other) is type(self)
        return is_same_kind and all(
            getattr(self, name) == getattr(other, name) for name in self._compared
        )

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._compared)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({shown})"


class TokenFile(_Source):
    """Reads the token from a UTF-8 file (``file://PATH``), absolute or beginning with ``~``."""

    _compared = _shown = ("path", "timeout")
    path: str
    #: Seconds to wait for the writer of a pipe.
    timeout: float

    def __init__(self, path: str, timeout: float = 5) -> None:
        """Take the path, and the seconds to wait for the writer of a pipe."""
        super().__init__(path=path, timeout=timeout)

    def __call__(self) -> str:
        """Return the content of the file, stripped.

        Raises:
            FetchError: The file is missing, unreadable, too large, not UTF-8 or empty.
        """
        path = self.path
        try:
            path = in_home(path)
            token = text_of(path, self.timeout).strip()
        except OSError as error:
            fact = f"cannot be read ({error.strerror}): check the path and its permissions"
        except UnicodeDecodeError:
            fact = "cannot be read (it is not UTF-8 text): write the token as plain text"
        except ValueError:  # a character that no path can have
            fact = "cannot be read (no file can have this name): check the path"
        else:
            if token:
                return token
            fact = "is empty: check the program that writes it"
        raise FetchError(provider="token file", error_msg=f"the token file {path} {fact}")


class TokenVariable(_Source):
    """Reads the token from an environment variable (``env://NAME``)."""

    _compared = _shown = ("name",)
    name: str
    environ: Mapping[str, str]

    def __init__(self, name: str, environ: Mapping[str, str] | None = None) -> None:
        """Take the name, and the environment, by default that of the process."""
        super().__init__(name=name, environ=system_environment() if environ is None else environ)

    def __call__(self) -> str:
        """Return the variable's value, stripped.

        Raises:
            FetchError: The variable is not set, or empty.
        """
        value = None
        with suppress(UnicodeEncodeError):  # a name that no variable can have
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
        """Pickle the name; the receiving process uses its own environment."""
        return type(self), (self.name,)


# The token that a command prints.

#: Seconds that the command may take.
PROCESS_TIMEOUT = 60


class TokenProcess(_Source):
    """Reads the token from the standard output of a command (``process://COMMAND``).

    The command is split into words like ``credential_process``, and run without a shell.
    """

    _compared, _shown = ("command", "timeout"), ("timeout",)
    command: str
    timeout: float

    def __init__(self, command: str, timeout: float = PROCESS_TIMEOUT) -> None:
        """Take the command, and the seconds that it may take."""
        super().__init__(command=command, timeout=timeout)

    def __call__(self) -> str:
        """Run the command and return its standard output, stripped.

        Raises:
            FetchError: The command cannot be started, fails, takes longer than ``timeout``
                seconds, or does not print UTF-8 text, or too much. The text includes the beginning
                of its standard error.
        """
        from ..runtime.process import output_of

        program = self._arguments()[0]
        try:
            done = output_of(self._arguments(), self.timeout, subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            fact = f"took longer than {self.timeout:g} seconds: run it by hand to see why"
        except OSError as error:
            fact = f"cannot be started ({error.strerror}): check the path of the program"
        except ValueError:
            fact = (
                "cannot be started (it has a character that the system does not accept): check the "
                "command"
            )
        else:
            if done.status == 0 and done.printed is not None:
                text = _text_of(done.printed)
                if text:
                    return text
                printed = "nothing" if text is not None else "something that is not UTF-8 text"
                fact = f"printed {printed}: it must print the token"
            else:
                fact = _problem(done)
        raise FetchError(provider="token process", error_msg=f"the token process {program} {fact}")

    def _arguments(self) -> list[str]:
        fact = "is empty: name a program"
        try:
            arguments = list(compat_shell_split(self.command))
        except ValueError as error:
            arguments, fact = [], f"cannot be split into words ({error})"
        if arguments:
            return arguments
        raise FetchError(provider="token process", error_msg=f"the command of the token {fact}")


def _problem(done: "Output") -> str:
    from ..runtime.process import LARGEST

    if done.printed is None:
        return f"printed more than {LARGEST} bytes and was ended: it must print the token"
    details = f": {done.complaint}" if done.complaint else " and no message: run it by hand"
    return f"failed with exit status {done.status}{details}"


def _text_of(printed: bytes) -> str | None:
    """Return the text, stripped; None if it is not UTF-8."""
    try:
        return printed.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
