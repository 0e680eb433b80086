"""Tokens as values of options: passed in code, or references in an ini file."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, cast

from botocore.compat import compat_shell_split

from ..catalogue import SCHEMES
from ..errors import FetchError, near
from ..profiles import registry
from ..runtime.awaiting import result_of
from ..system import is_absolute
from . import sources, types
from .option import ALIASES
from .scope import Scope

#: A token, or a callable that returns one; with aiobotocore it may be a coroutine function.
Token: TypeAlias = str | Callable[[], str | Awaitable[str]]
ALIASES["Token"] = Token

#: How similar a misspelled scheme must be: "vault" is not "oauth".
_SIMILARITY = 0.65
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_+.-]*)://")


def reference(value: object, scope: Scope) -> object:
    """Return the source that a reference in an ini file means; other text is the token itself.

    Raises:
        ValueError: The scheme is unknown, the reference is incomplete, or the text only looks like
            a reference. The value is not shown, because it may be a token.
    """
    if not isinstance(value, str):
        return value
    scheme = _SCHEME.match(value)
    if scheme is None:
        for mistake, fact in _MISTAKES.items():
            if re.match(mistake, value.strip(), re.IGNORECASE):
                raise ValueError(fact)
        return value
    rest, name = value[scheme.end() :].strip(), scheme[1].lower()
    create = registry.find_scheme(name)
    source = create(rest, scope) if create and rest else None
    if source is None:
        similar = None if create else near(name, registry.scheme_names(), _SIMILARITY)
        hint = f"; did you mean {similar}://?" if similar else ""
        kind = "complete" if create else "known kind of"
        raise ValueError(f"is not a {kind} token reference{hint} ({registry.scheme_forms()})")
    return source


def public_text(value: object) -> str | None:
    """Return what may be shown of a token of an ini file; None if it may be the token itself.

    A command, and what only another package understands, may hold a secret.
    """
    scheme = _SCHEME.match(value) if isinstance(value, str) else None
    if scheme is None:
        return None
    is_public = scheme[1].lower() in {one.name for one in SCHEMES} - {"process"}
    return str(value) if is_public else f"{scheme[0]}..."


# The token schemes of this machine: each function takes the text after the scheme.


def file_token(path: str, _: Scope) -> Token | None:
    """Return the source for ``file://``; None if the path depends on the current directory."""
    return sources.TokenFile(path) if is_absolute(path) else None


def variable_token(name: str, scope: Scope) -> Token:
    """Return the source for ``env://``.

    Raises:
        ValueError: The name has the ``$`` of a shell.
    """
    if name.startswith("$"):
        raise ValueError("has a $ before the name of the variable (write env://NAME)")
    return sources.TokenVariable(name, scope.environ)


def process_token(command: str, _: Scope) -> Token:
    """Return the source for ``process://``.

    Raises:
        ValueError: The command cannot be split.
    """
    try:
        compat_shell_split(command)
    except ValueError as error:
        raise ValueError(f"cannot be split into a command and its arguments ({error})") from None
    return sources.TokenProcess(command)


#: Texts that look like a reference but are not one -> the error.
_MISTAKES: Mapping[str, str] = {
    r"(~|\.{1,2})?[/\\]|[A-Z]:[/\\]": (
        "is a path, not a token (to read the token from the file, write file:// before it)"
    ),
    r"\$\w+$|\$\{[^{}]*\}$|\$env:\w+$|%\w+%$": (
        "is a shell variable, not a token (to read the token from the environment, write env://NAME)"
    ),
    r"\$\(.*\)$|`.*`$": (
        "is a shell command, not a token (to use what a command prints, write process://COMMAND)"
    ),
    rf"({'|'.join(one.name for one in SCHEMES)}):(?!//)": (
        "has no // after the colon (write file:///PATH, env://NAME, process://COMMAND, "
        "github-actions://AUDIENCE or ambient://AUDIENCE)"
    ),
}


def references(value: object, scope: Scope) -> object:
    """Return the sources of an ini file: a block of ``name = token`` lines, or all on one line.

    Raises:
        ValueError: See ``reference`` and ``on_one_line``.
    """
    entries = on_one_line(value) if isinstance(value, str) else value
    if not isinstance(entries, Mapping):
        return entries  # for the type of the option, which refuses it
    return {name: reference(token, scope) for name, token in entries.items()}


def on_one_line(text: str) -> Mapping[str, str]:
    """Return the names and references of a line ``NAME=REFERENCE, NAME=REFERENCE``.

    A token itself is refused, because a command may contain a comma: the part after it is not
    taken for a login.

    Raises:
        ValueError: It is not such a line.
    """
    parts = [part.partition("=") for part in text.split(",")]
    found = {name.strip(): token.strip() for name, _, token in parts}
    are_references = all(name and _SCHEME.match(token) for name, token in found.items())
    if len(found) < len(parts) or not are_references:
        raise ValueError(
            "is not a line of NAME=REFERENCE, separated by commas, each name once (write tokens, "
            "and commands with a comma, in a block: one indented line NAME = TOKEN for each)"
        )
    return found


def token(value: object) -> Token:
    """A token, or a callable that returns one (see ``types``)."""
    if callable(value) or (isinstance(value, str) and value.strip()):
        return cast("Token", value)
    raise ValueError("must be a token (a string that is not empty) or a callable that returns one")


def header_or_source(value: object) -> Token:
    """The value of a header, or a callable that returns it."""
    return token(value) if callable(value) else types.header(value)


def tokens(value: object) -> Mapping[str, Token]:
    """A mapping of names to tokens (see ``types``)."""
    if isinstance(value, Mapping) and not value:
        raise ValueError("is empty (leave it out for a guest)")
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of names to tokens")
    return {str(name): token(entry) for name, entry in value.items()}


def resolve(source: Token, name: str, *, in_json: bool = False) -> str:
    """Return the token of ``source``, stripped; ``name`` is the option or login, for an error.

    A token that is sent in a JSON body may contain line breaks: a SAML assertion is base64, often
    wrapped.

    Raises:
        FetchError: The source returned no text, or text that cannot be sent.
        Exception: The error of a callable, unchanged.
    """
    value: object = source
    if callable(source):
        value = result_of(source(), "token", f"the source of {name}")
    token = value.strip() if isinstance(value, str) else ""
    checked = re.sub(r"[\r\n]", "", token) if in_json else token
    if checked and checked.isprintable():
        return token
    found = "a token with a character that cannot be sent" if token else "an empty string"
    if not isinstance(value, str):
        found = f"{type(value).__name__}, not a string"
    raise FetchError(
        provider="token",
        error_msg=f"the source of {name} returned {found}: it must return the token alone",
    )
