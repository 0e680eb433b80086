"""What the value of an option may be.

Each function takes a value as Python code, an ini file or the environment gives it, and returns
it checked and converted. The text of its ValueError completes the sentence "<option> ..." and
never shows the value, which may be a secret in the wrong place.
"""

import json
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, cast


def text(value: object) -> str:
    """A non-empty string."""
    if not isinstance(value, str):
        msg = f"must be a string, not {type(value).__name__}"
        raise ValueError(msg)
    if not value.strip():
        msg = "is empty"
        raise ValueError(msg)
    return value.strip()


def arn(value: object) -> str:
    """An Amazon Resource Name."""
    shape = r"arn:[^:\s]*:[^:\s]*:[^:\s]*:[^:\s]*:\S+"
    return _matching(shape, value, "is not an ARN (arn:partition:service:region:account:resource)")


def arns(value: object) -> list[str]:
    """ARNs: one comma-separated line, or a list of strings or of ``{"arn": ...}``."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Sequence):  # an iterator would be empty when it is read again
        msg = f"must be a list of ARNs, not {type(value).__name__}"
        raise ValueError(msg)
    items = [item.get("arn") if isinstance(item, Mapping) else item for item in value]
    try:
        return [arn(item) for item in items]
    except ValueError as error:
        msg = f"is not a list of ARNs: one {error}"
        raise ValueError(msg) from None


def whole(value: object) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    msg = "is not a whole number"
    raise ValueError(msg)


def flag(value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        msg = f"must be True or False, not {type(value).__name__}"
        raise ValueError(msg)
    return value


def function(value: object) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        msg = f"must be callable, not {type(value).__name__}"
        raise ValueError(msg)
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping of names to values."""
    if not isinstance(value, Mapping):
        msg = f"must be a mapping, not {type(value).__name__}"
        raise ValueError(msg)
    return value


def cache(value: object) -> MutableMapping[str, str]:
    """A mapping that can be changed, or what is used like one, such as a file of dbm."""
    methods = ("__getitem__", "__setitem__", "__delitem__")
    is_like_one = all(callable(getattr(value, name, None)) for name in methods)
    if isinstance(value, (Sequence, type)) or not is_like_one:
        msg = f"must be a mapping that can be changed, not {type(value).__name__}"
        raise ValueError(msg)
    return cast("MutableMapping[str, str]", value)


def json_document(value: object) -> str:
    """A JSON object: its text, or a mapping to write as text."""
    if isinstance(value, Mapping):
        try:
            return json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            msg = "holds something that JSON cannot express"
            raise ValueError(msg) from None
    document = text(value)
    try:
        is_object = isinstance(json.loads(document), dict)
    except json.JSONDecodeError as error:
        msg = f"is not JSON ({error.msg} at line {error.lineno} column {error.colno})"
        raise ValueError(msg) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or as many brackets
        msg = "is not JSON that can be read (too many digits or brackets)"
        raise ValueError(msg) from None
    if not is_object:
        msg = "is not a JSON object"
        raise ValueError(msg)
    return document


def cognito_id(value: object) -> str:
    """The id of a Cognito identity or identity pool, which begins with its region."""
    return _matching(r"[\w-]+:[\w-]+", value, "is not a Cognito id (REGION:UUID)")


def header(value: object) -> str:
    """The value of an HTTP header."""
    fact = "contains a line break or another character that a header cannot carry"
    return _matching(r"[ -~]+", value, fact)


def links(value: object) -> list[Any]:
    """The links of a chain: a comma-separated line of names, or a list of providers and names."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, Sequence) or not value:
        msg = "must name its links on one line, with commas between them"
        raise ValueError(msg)
    if "" in value:
        msg = "has a link without a name (look for a comma too many)"
        raise ValueError(msg)
    return list(value)


def _matching(pattern: str, value: object, otherwise: str) -> str:
    found = text(value)
    if re.fullmatch(pattern, found) is None:
        raise ValueError(otherwise)
    return found
