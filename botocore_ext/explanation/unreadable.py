"""Where no chain can be walked: an unreadable file, an absent profile, an unusable setting."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

from botocore.credentials import create_credential_resolver
from botocore.exceptions import ConfigParseError

from ..errors import ConfigurationError
from ..options import nearest
from ..sources.paths import in_environment, why_no_file
from ..sources.settings import made_by_botocore
from .lines import Line, profile_in_config
from .report import Explanation
from .view import View


def unreadable(view: View) -> Explanation | None:
    """Return what there is to say where no chain can be walked; None where one can."""
    try:
        is_missing = view.profile not in view.profiles and view.profile_name is not None
    except ConfigParseError as error:
        given = cast("Mapping[str, Any]", error.kwargs)  # the stubs know of the path only
        files = {in_environment(path): path for path in (view.credentials_file, view.config_file)}
        path, line = files.get(given["path"], given["path"]), _line_of(given["error"])
        place = f"line {line} of {path}" if line else path
        text = f"No credentials: {place} cannot be read, and every boto3 session fails."
        remedy = "correct its syntax: [section], name = value, and lists on one line"
        return Explanation(view.profile, view.profile_from, view.files, (), None, text, (remedy,))
    if not is_missing:
        return _unusable(view)
    text = (
        f"No credentials: there is no profile '{view.profile}', and boto3 says "
        f'"The config profile ({view.profile}) could not be found".'
    )
    notes = tuple(dict.fromkeys(_of_missing_profile(view)))
    return Explanation(view.profile, view.profile_from, view.files, (), None, text, notes)


def _unusable(view: View) -> Explanation | None:
    """Return what there is to say where botocore cannot make its providers; None where it can."""
    session = view.session
    try:
        made_by_botocore(session, None, partial(create_credential_resolver, session))
    except ConfigurationError as error:
        fact, _, remedy = error.reason.partition(": ")
    else:
        return None
    text = f"No credentials: {fact}, and every boto3 session that looks for some fails."
    return Explanation(view.profile, view.profile_from, view.files, (), None, text, (remedy,))


def _line_of(error: object) -> int | None:
    """Return the line that ``configparser`` stumbles over; its text may hold a secret."""
    lines = [number for number, _ in getattr(error, "errors", [])]
    found: int | None = getattr(error, "lineno", None) or next(iter(lines), None)
    return found


def _of_missing_profile(view: View) -> Iterator[str]:
    if not view.profile:
        variable = view.profile_from.removeprefix("named by ")
        remedy = "leave it out" if view.is_explicit else f"unset {variable}"
        yield f"an empty name is a name, too: {remedy}, or name a profile"
        return
    sections = list(misplaced(view))
    yield from sections
    names = sorted(view.profiles)
    same = [name for name in names if name.lower() == view.profile.lower()]
    if same:
        yield f"names of profiles are case-sensitive: there is a profile '{same[0]}'"
    elif names and not sections:
        yield f"did you mean '{nearest(view.profile, names)}'? The profiles are: {', '.join(names)}"
    elif not sections:
        yield "there is no profile at all: see whether these are the files that you mean"
    yield from absent_files(view)
    if not view.is_explicit:
        yield f"correct {view.profile_from.removeprefix('named by ')}, or unset it"


def misplaced(view: View) -> Iterator[str]:
    """Find sections that look like the profile, and are none."""

    def looks_like_it(line: Line) -> bool:
        words = line.section.strip().split()
        return line.key is None and bool(words) and words[-1].lower() == view.profile.lower()

    for line in filter(looks_like_it, view.config_lines):
        if profile_in_config(line.section) is None:
            yield (
                f"[{line.section}] in {view.config_file}:{line.number} is no profile: write "
                f"[profile {view.profile}]"
            )
    for line in filter(looks_like_it, view.credentials_lines):
        if line.section.split()[0].lower() == "profile":
            yield (
                f"[{line.section}] in {view.credentials_file}:{line.number} is no profile: in the "
                f"credentials file write [{view.profile}]"
            )


def absent_files(view: View) -> Iterator[str]:
    """Find variables that name no file."""
    for name, path in {
        "AWS_CONFIG_FILE": view.config_file,
        "AWS_SHARED_CREDENTIALS_FILE": view.credentials_file,
    }.items():
        absence = why_no_file(path)
        if name in view.environ and absence:
            yield f"{name} names {path}, which {absence}: correct it, or unset it"
