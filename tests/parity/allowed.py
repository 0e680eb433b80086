"""The differences that are meant, each with its reason: ``differences.toml``."""

from fnmatch import fnmatchcase
from pathlib import Path

from . import cases

FILE = Path(__file__).parent / "differences.toml"


def listed():
    """Return the entries, in order."""
    return cases.read(FILE)["difference"]


def unlisted(entries, case, found):
    """Return the differences of a case that no entry has."""
    lines = [line for one in entries if _any(case, one["cases"]) for line in one["differs"]]
    return [one for one in found if not _any(one, lines)]


def absent(entries, case, found):
    """Return what entries say of a case by its name, though it does not differ so."""
    lines = [line for one in entries if case in one["cases"] for line in one["differs"]]
    return [line for line in lines if not _any_of(found, line)]


def idle(entries, every):
    """Return which lines of entries are of no case that their patterns are of.

    Args:
        entries: As ``listed`` returns them.
        every: Each case with its differences.
    """
    return [
        (pattern, line)
        for entry in entries
        for pattern in entry["cases"]
        for line in entry["differs"]
        if not any(
            fnmatchcase(case, pattern) and _any_of(found, line) for case, found in every.items()
        )
    ]


def _any(text, patterns):
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _any_of(texts, pattern):
    return any(fnmatchcase(text, pattern) for text in texts)
