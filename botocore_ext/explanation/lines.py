"""On which line of an AWS file something stands; botocore's parser does not keep it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..sources.paths import in_environment, is_file

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<key>[^\s=:#;\[][^=:]*?)\s*[=:]")


class Line(NamedTuple):
    """A section header or a key."""

    number: int
    #: The section that it is in, or that it begins.
    section: str
    #: None for a header.
    key: str | None


def lines_of(path: str) -> Iterator[Line]:
    """Give the headers and keys of a file in order; nothing of what botocore cannot read."""
    opened = in_environment(path)
    if not is_file(opened):
        return  # nobody may ever write to a pipe
    try:
        written = Path(opened).read_text(encoding="utf-8", errors="replace").splitlines()
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
    match words:
        case [_, name]:
            return name
    return None
