"""Where a token comes from: a file, an environment variable, a process, or Python code.

In Python a token is a string or any callable without arguments that returns one; the classes
here are such callables. In an ini file a token is the text itself or a reference: ``file://``,
``env://`` or ``process://``. A source is read anew at every fetch and never cached, because
tokens are short-lived by nature.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.compat import compat_shell_split

from .errors import FetchError
from .scope import system_environment

#: Seconds that a ``process://`` command may take.
PROCESS_TIMEOUT = 60


@dataclass(frozen=True)
class TokenFile:
    """Reads the token from a UTF-8 file (``file://PATH``), absolute or beginning with ``~``."""

    path: str

    def __call__(self) -> str:
        """Return the file's content.

        Raises:
            FetchError: The file is missing, unreadable or not UTF-8.
        """
        path = os.path.expanduser(self.path)  # noqa: PTH111 - keeps the text as the user knows it
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
                return file.read()
        except OSError as error:
            reason, remedy = error.strerror, "check the path and who may read it"
        except UnicodeDecodeError:
            reason, remedy = "it is not UTF-8 text", "write the token as plain text"
        raise FetchError(
            provider="token file",
            error_msg=f"the token file {path} cannot be read ({reason}): {remedy}",
        )


@dataclass(frozen=True)
class TokenVariable:
    """Reads the token from an environment variable (``env://NAME``)."""

    name: str
    environ: Mapping[str, str] = field(
        default_factory=system_environment, repr=False, compare=False
    )

    def __call__(self) -> str:
        """Return the variable's value.

        Raises:
            FetchError: The variable is not set.
        """
        value = self.environ.get(self.name)
        if value is None:
            raise FetchError(
                provider="token variable",
                error_msg=f"the environment variable {self.name} is not set: "
                "set it to the token before the first request",
            )
        return value

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
        """Run the command and return its standard output.

        Raises:
            FetchError: The command cannot be started, fails, takes longer than ``timeout``
                seconds or prints no UTF-8 text. Its standard error is part of the text.
        """
        arguments = compat_shell_split(self.command)
        try:
            done = subprocess.run(  # noqa: S603 - running the user's command is the purpose
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout,
                check=False,
            )
            if done.returncode == 0:
                return done.stdout.decode("utf-8")
            stderr = done.stderr.decode("utf-8", "replace").strip()
            reason = f"failed with exit status {done.returncode}: {stderr or 'no message'}"
        except subprocess.TimeoutExpired:
            reason = f"took longer than {self.timeout:g} seconds: run it by hand to see why"
        except OSError as error:
            reason = f"cannot be started ({error.strerror}): check the path of the program"
        except UnicodeDecodeError:
            reason = "printed something that is not UTF-8 text: it must print the token alone"
        raise FetchError(
            provider="token process",
            error_msg=f"the token process {arguments[0]} {reason}",
        )
