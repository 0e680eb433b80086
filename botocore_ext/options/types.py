"""The types of options: each function checks a value and converts it.

The value comes from Python code, an ini file or the environment. The text of a ``ValueError``
completes the sentence "<option> ..." and never shows the value, which may be a misplaced secret.
"""

import inspect
import json
import logging
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import timedelta
from types import NoneType
from typing import Any, Literal, cast

from botocore.config import Config
from botocore.session import Session

from ..aws.endpoint import Endpoint
from ..errors import near

#: No file has a longer name.
_LONGEST_NAME = 255


def text(value: object) -> str:
    """A non-empty string."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


def path(value: object) -> str:
    """The path of a file, and not its content, which may be a secret."""
    found = text(value)
    if "-----BEGIN" in found or max(map(len, re.split(r"[/\\]", found))) > _LONGEST_NAME:
        raise ValueError("must be the path of a file, not its content")
    return found


def arn(value: object) -> str:
    """An Amazon Resource Name."""
    shape = r"arn:[^:\s]*:[^:\s]*:[^:\s]*:[^:\s]*:\S+"
    return _matching(shape, value, "is not an ARN (arn:partition:service:region:account:resource)")


def regional_arn(value: object) -> str:
    """An Amazon Resource Name with a region."""
    found = arn(value)
    if not found.split(":")[3]:
        raise ValueError("is not an ARN with a region (arn:partition:service:region:...)")
    return found


def arns(value: object) -> list[str]:
    """ARNs: one comma-separated line, or a list of strings or of ``{"arn": ...}``."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Sequence):  # an iterator would be empty when it is read again
        raise ValueError(f"must be a list of ARNs, not {type(value).__name__}")
    items = [item.get("arn") if isinstance(item, Mapping) else item for item in value]
    try:
        return [arn(item) for item in items]
    except ValueError as error:
        raise ValueError(f"is not a list of ARNs: one {error}") from None


def whole(value: object) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("is not a whole number")


def flag(value: object) -> bool:
    """True or False, in a profile also as text."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise ValueError(f"must be True or False, not {type(value).__name__}")
    return value


def tags(value: object) -> Mapping[str, str]:
    """Session tags: one line of ``key=value`` pairs with commas in between, or a mapping."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(key.strip() and equals for key, equals, _ in pairs):
            raise ValueError("is not a list of tags (key=value, key=value)")
        value = {key.strip(): text.strip() for key, _, text in pairs}
        if len(value) != len(pairs):
            raise ValueError("has a tag twice")
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping of tags, not {type(value).__name__}")
    return value


def names(value: object) -> list[str]:
    """Names: one line with commas in between, or a list of strings."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Sequence):
        raise ValueError(f"must be a list of names, not {type(value).__name__}")
    return [text(item) for item in value]


def choice(*names: str) -> Callable[[object], str]:
    """Return what takes one of these names."""

    def chosen(value: object) -> str:
        """One of a few names."""
        if isinstance(value, str) and value.strip() in names:
            return value.strip()
        raise ValueError(f"must be {' or '.join(names)}")

    return chosen


def function(value: object) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise ValueError(f"must be callable, not {type(value).__name__}")
    return value


def logger(value: object) -> logging.Logger:
    """A logger that has its name in the hierarchy: by this name it is found in another process."""
    if not isinstance(value, logging.Logger):
        raise ValueError(f"must be a logging.Logger, not {type(value).__name__}")
    if logging.getLogger(value.name) is not value:
        raise ValueError("must be a logger of logging.getLogger()")
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping of names to values."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping, not {type(value).__name__}")
    return value


def mutable_mapping(value: object) -> MutableMapping[str, str]:
    """A mutable mapping, or an object that is used like one, such as a dbm file."""
    methods = ("__getitem__", "__setitem__", "__delitem__")
    is_like_one = all(callable(getattr(value, name, None)) for name in methods)
    if isinstance(value, (Sequence, type)) or not is_like_one:
        raise ValueError(f"must be a mapping that can be changed, not {type(value).__name__}")
    return cast("MutableMapping[str, str]", value)


def json_document(value: object) -> str:
    """A JSON object: its text, or a mapping, which is converted to text."""
    if isinstance(value, Mapping):
        try:
            return json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            raise ValueError("contains a value that JSON does not support") from None
    document = text(value)
    try:
        is_object = isinstance(json.loads(document), dict)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"is not JSON ({error.msg} at line {error.lineno} column {error.colno})"
        ) from None
    except (ValueError, RecursionError):  # thousands of digits or brackets
        raise ValueError("is not JSON that can be read (too many digits or brackets)") from None
    if not is_object:
        raise ValueError("is not a JSON object")
    return document


def cognito_id(value: object) -> str:
    """The ID of a Cognito identity or identity pool, which begins with its region."""
    return _matching(r"[\w-]+:[\w-]+", value, "is not a Cognito ID (REGION:UUID)")


def header(value: object) -> str:
    """The value of an HTTP header."""
    fact = "contains a line break or another character that a header cannot carry"
    return _matching(r"[ -~]+", value, fact)


def links(value: object) -> list[Any]:
    """The links of a chain: a comma-separated line of names, or a list of providers and names."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, Sequence) or not value:
        raise ValueError("must be one line of names, separated by commas")
    if "" in value:
        raise ValueError("has a link without a name (remove the extra comma)")
    return list(value)


def _matching(pattern: str, value: object, otherwise: str) -> str:
    found = text(value)
    if re.fullmatch(pattern, found) is None:
        raise ValueError(otherwise)
    return found


# Times.

#: The shortest ``expire_after`` of a chain: the default refresh window.
FIVE_MINUTES = 300
#: The longest timeout of an endpoint.
LONGEST_TIMEOUT = 60
#: The longest time of an option: a century.
LONGEST = 100 * 365 * 86_400


def seconds(value: object) -> float:
    """A positive number of seconds, or a ``timedelta``."""
    given: Any = value.total_seconds() if isinstance(value, timedelta) else value
    try:
        number = float(given)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if isinstance(value, bool) or not 0 < number <= LONGEST:
        raise ValueError("is not a number of seconds above 0")
    return number


def timeout(value: object) -> float:
    """Seconds, a minute at most."""
    found = seconds(value)
    if found > LONGEST_TIMEOUT:
        raise ValueError("is more than a minute (it is in seconds, not in milliseconds)")
    return found


def window(value: object) -> float | Literal["auto"]:
    """A refresh window: seconds, or ``auto``."""
    if isinstance(value, str) and value.strip().lower() == "auto":
        return "auto"
    try:
        return seconds(value)
    except ValueError:
        raise ValueError("is neither a number of seconds above 0 nor `auto`") from None


def lifetime(value: object) -> float:
    """Seconds, five minutes or more."""
    found = seconds(value)
    if found < FIVE_MINUTES:
        raise ValueError("is less than five minutes (300)")
    return found


# Addresses of HTTP endpoints.

#: The ECS agent, which serves relative URIs.
ECS_AGENT = "http://169.254.170.2"


def full_uri(value: object) -> str:
    """A URL that credentials may be requested from (see ``Endpoint``)."""
    found = text(value)
    Endpoint.parse(found)
    return found


def relative_uri(value: object) -> str:
    """A path that cannot change the host."""
    found = text(value)
    if not found.startswith("/"):
        raise ValueError("does not begin with /")
    Endpoint.parse(ECS_AGENT + found)
    return found


# Clients, and the arguments that make them.


def client_config(value: object) -> Mapping[str, Any]:
    """Keyword arguments of ``create_client``."""
    if not isinstance(value, Mapping):
        raise ValueError(
            f"must be a mapping of create_client() arguments, not {type(value).__name__}"
        )
    known = _arguments()
    for name in value if known else ():
        if name not in known:
            similar = near(str(name), known)
            remedy = (
                f"did you mean {similar!r}?" if similar else "it may be an argument of Config()"
            )
            raise ValueError(f"has {name!r}, which is not an argument of create_client(): {remedy}")
    for name, kind in {"config": Config, "region_name": str, "endpoint_url": str}.items():
        if not isinstance(value.get(name), (kind, NoneType)):
            raise ValueError(f"has a value for {name} that is not a {kind.__name__}")
    return value


def _arguments() -> list[str]:
    """Return the names of the arguments of ``create_client``, except the service.

    There are none if a library has replaced the method with one that accepts any argument.
    """
    parameters = inspect.signature(Session.create_client).parameters
    accepts_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return [] if accepts_any else list(parameters)[2:]


def client_with(operation: str) -> Callable[[object], Any]:
    """Return the type of a client with the method ``operation``, of any client library."""

    def client(value: object) -> Any:
        """A client of the right service."""
        if hasattr(value, operation):
            return value
        raise ValueError(f"must be a client that has {operation}(), not {type(value).__name__}")

    return client
