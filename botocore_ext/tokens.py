"""Where a token comes from: a file, an environment variable, a process, the place of a program.

In Python a token is a string or any callable without arguments that returns one; the classes
here are such callables. In an ini file a token is the text itself or a reference: ``file://``,
``env://``, ``process://``, ``github-actions://`` or ``ambient://``. A source is read anew at every
fetch and never cached, because tokens are short-lived by nature.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import FetchError
from .outside import system_environment
from .sources.paths import in_home, text_of

if TYPE_CHECKING:
    from .sources.ambient import AmbientToken
    from .sources.github_actions import GitHubActionsToken
    from .sources.token_process import TokenProcess

__all__ = [
    "AmbientToken",
    "GitHubActionsToken",
    "TokenFile",
    "TokenProcess",
    "TokenVariable",
]

#: What only few need -> the module that is loaded for it.
_HOMES = {
    "AmbientToken": "sources.ambient",
    "GitHubActionsToken": "sources.github_actions",
    "TokenProcess": "sources.token_process",
}


@dataclass(frozen=True)
class TokenFile:
    """Reads the token from a UTF-8 file (``file://PATH``), absolute or beginning with ``~``."""

    path: str
    #: Seconds to wait for the writer of a pipe.
    timeout: float = 5

    def __call__(self) -> str:
        """Return the file's content, stripped.

        Raises:
            FetchError: The file is missing, unreadable, too large, not UTF-8 or empty.
        """
        path = self.path
        try:
            path = in_home(path)
            token = text_of(path, self.timeout).strip()
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


def __getattr__(name: str) -> Any:
    """Load a source that not everybody needs (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__package__}.{home}"), name)
