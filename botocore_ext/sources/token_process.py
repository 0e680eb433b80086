"""The token that a command prints."""

import subprocess
from dataclasses import dataclass, field

from botocore.compat import compat_shell_split

from ..errors import FetchError

#: Seconds that the command may take.
PROCESS_TIMEOUT = 60


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
