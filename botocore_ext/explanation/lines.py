"""On which line of an AWS file something stands; botocore's parser does not keep it."""

import os
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<key>[^\s=:#;\[][^=:]*?)\s*[=:]")


class Line(NamedTuple):
    """A section header or a key."""

    number: int
    #: The section that it is in, or that it begins.
    section: str
    #: None for a header.
    key: str | None


def expanded(path: str) -> str:
    """Return the path that botocore opens."""
    # Not pathlib, which raises where there is no home.
    return os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111


def is_there(path: str) -> bool:
    """Whether the file exists."""
    return os.path.isfile(expanded(path))  # noqa: PTH113 - see above


def why_no_file(path: str) -> str:
    """Say of a path at which botocore finds no file what there is instead."""
    if os.path.isdir(expanded(path)):  # noqa: PTH112 - see above
        return "is a directory"
    # Such as /dev/null, which is no file to botocore.
    is_other = os.path.exists(expanded(path))  # noqa: PTH110 - see above
    return "is no regular file" if is_other else "does not exist"


def lines_of(path: str) -> Iterator[Line]:
    """Give the headers and keys of a file in order; nothing of one that cannot be read."""
    try:
        with open(expanded(path), encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
            written = file.read().splitlines()
    except OSError:
        return
    section = ""
    for number, text in enumerate(written, start=1):
        header = _SECTION.match(text)
        key = _KEY.match(text)
        if header:
            section = header["name"]
            yield Line(number, section, None)
        elif key:
            yield Line(number, section, key["key"].lower())


def profile_in_config(section: str) -> str | None:
    """Return the profile that a section of the config file is of, as botocore reads it."""
    if section == "default":
        return section
    try:
        words = shlex.split(section) if section.startswith("profile") else []
    except ValueError:
        return None
    return words[1] if len(words) == 2 else None  # noqa: PLR2004 - profile NAME
