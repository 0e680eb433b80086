"""What to do: mistakes that the chain itself cannot tell, each found by a function of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast

from botocore.credentials import create_credential_resolver
from botocore.exceptions import ConfigParseError

from ..aws.botocore_errors import made_by_botocore, whole_number
from ..catalogue import INSERTED
from ..errors import ConfigurationError, nearest
from ..profiles.inert import AWS_KEYS, source_profile_chain
from ..profiles.selection import meant_by, selecting_keys, source_of
from ..system import in_environment, why_no_file
from .report import Explanation, Found, Outcome, Step
from .view import Line, View, profile_in_config

# What comes of a walk.


@dataclass(frozen=True)
class Case:
    """What advice is given on."""

    view: View
    steps: Sequence[Step]
    is_ours: bool

    @property
    def first(self) -> Step | None:
        """The provider at which the walk ended."""
        return first_of(self.steps)


#: Gives what there is to know or to do in a case.
Giver: TypeAlias = Callable[[Case], Iterator[str]]


def first_of(steps: Sequence[Step]) -> Step | None:
    """Return the provider that has keys, failed or would be asked; None if there is none."""
    ends = (Outcome.FOUND, Outcome.FAILED, Outcome.WOULD_ASK)
    return next((one for one in steps if one.outcome in ends), None)


def conclusion(steps: Sequence[Step], found: Found | None) -> str:
    """Say in one sentence what comes of the walk."""
    first = first_of(steps)
    if found is not None:
        return f"Found by {found.provider}: {found}."
    if first is None:
        return (
            'No credentials: nothing is called for, and boto3 says "Unable to locate credentials".'
        )
    if first.outcome is Outcome.FAILED:
        return f"No credentials: {first.provider} is called for and fails; nobody else is asked."
    return f"Not known: {first.provider} comes first, and was not asked."


# Where no chain can be walked: an unreadable file, an absent profile, an unusable setting.


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


# What may be wrong where nobody has keys: mistakes that the chain itself cannot tell.

#: Keys of a profile that are credentials themselves.
STATIC = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
#: Keys that give credentials, or say whose; a profile with none of them is only settings.
_GIVING = {
    *STATIC, "role_arn", "credential_process", "login_session", "sso_account_id", "sso_role_name",
    "web_identity_token_file", *(key for row in INSERTED for key in row.selecting),
}  # fmt: skip


def _said_by_steps(case: Case) -> Iterator[str]:
    """Repeat the reasons that are a fact with its remedy."""
    for step in case.steps:
        if ": " in step.reason:
            yield f"{step.provider}: {step.reason}"


def _misspelt(case: Case) -> Iterator[str]:
    view = case.view
    for key in view.values:
        meant = meant_by(key, AWS_KEYS) if key not in AWS_KEYS else None
        if meant and not (case.is_ours and meant_by(key)):
            yield f"{key} ({view.place(key)}) means nothing: did you mean {meant}?"


def _role_without_arn(case: Case) -> Iterator[str]:
    view = case.view
    for key in ("source_profile", "credential_source"):
        if key in view.values and "role_arn" not in view.values:
            yield f"{key} ({view.place(key)}) belongs to a role: add role_arn to the profile"


def _only_settings(case: Case) -> Iterator[str]:
    view = case.view
    if view.values and not _GIVING & view.values.keys():
        yield (
            f"profile '{view.profile}' has {', '.join(sorted(view.values))}, and nothing that "
            f"gives credentials: add it, for example with `aws configure --profile {view.profile}`"
        )


def _no_default(case: Case) -> Iterator[str]:
    view = case.view
    if view.profile_name is None and view.profiles and view.profile not in view.profiles:
        yield (
            f"nothing names a profile, and there is no profile 'default': set AWS_PROFILE to one "
            f"of {', '.join(sorted(view.profiles))}"
        )


def _left_out(case: Case) -> Iterator[str]:
    if case.view.is_explicit and case.view.environ.get("AWS_ACCESS_KEY_ID"):
        yield (
            "AWS_ACCESS_KEY_ID is set, but the caller names a profile, which leaves the "
            "environment's keys out: name none to use them"
        )


def _no_metadata(case: Case) -> Iterator[str]:
    if case.view.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        yield "on an EC2 instance with a role, unset AWS_EC2_METADATA_DISABLED"


def _sections(case: Case) -> Iterator[str]:
    yield from misplaced(case.view)
    yield from absent_files(case.view)


#: Mistakes, the most likely first.
MISTAKES: tuple[Giver, ...] = (
    _said_by_steps, _sections, _misspelt, _role_without_arn, _no_default, _left_out,
)  # fmt: skip
#: What else there is to say where nothing is wrong.
OTHERWISE: tuple[Giver, ...] = (_only_settings, _no_metadata)


#: Providers that a profile calls for.
_OF_PROFILES = {
    "assume-role", "assume-role-with-web-identity", "sso", "shared-credentials-file", "login",
    "custom-process", "config-file", *(row.method for row in INSERTED),
}  # fmt: skip


def advice(case: Case, warned: Sequence[str]) -> tuple[str, ...]:
    """Return what to know or to do, the most likely remedy first.

    Args:
        case: What was seen.
        warned: What was said already.
    """
    notes = [*warned, *(note for give in _ALWAYS for note in give(case))]
    if case.first is None:
        notes += [note for give in MISTAKES for note in give(case)]
        notes = notes or [note for give in OTHERWISE for note in give(case)]
    return tuple(dict.fromkeys(notes))


def _failure(case: Case) -> Iterator[str]:
    """Repeat the error at the end, where it is looked for."""
    if case.first and case.first.outcome is Outcome.FAILED:
        yield f"{case.first.provider}: {case.first.reason}"


def _environment_wins(case: Case) -> Iterator[str]:
    first = case.first
    shadowed = [one for one in case.steps if one.outcome is Outcome.SHADOWED]
    if first and first.provider == "env" and any(one.provider in _OF_PROFILES for one in shadowed):
        yield (
            f"the keys of the environment go before those of profile '{case.view.profile}': unset "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the profile in code "
            f"(boto3.Session(profile_name='{case.view.profile}'))"
        )


def _not_installed(case: Case) -> Iterator[str]:
    if case.is_ours:
        return
    for name in source_profile_chain(case.view.profiles, case.view.profile):
        values = case.view.profiles[name]
        keys = [key for _, key in selecting_keys(values)]
        keys += ["credential_source"] * (source_of(values) is not None)
        if keys:
            yield (
                f"{keys[0]} of profile '{name}' ({case.view.place(keys[0], name)}) means nothing "
                "to plain boto3: call botocore_ext.install() before the session is made, or "
                "botocore_ext.extend(session)"
            )


def _quoted(case: Case) -> Iterator[str]:
    view = case.view
    written = {f"{key} ({view.place(key)})": view.values.get(key, "") for key in STATIC}
    written |= {key.upper(): view.environ.get(key.upper(), "") for key in STATIC}
    for name, value in written.items():
        if str(value).strip("\"' \t\r\n") != str(value):
            yield f"{name} has quotes or white space around it, which count: remove them"


def _empty(case: Case) -> Iterator[str]:
    view = case.view
    for key in STATIC:
        if view.values.get(key) == "":
            yield f"{key} ({view.place(key)}) is empty: write it, or remove it"


def _no_number(case: Case) -> Iterator[str]:
    try:
        whole_number(case.view.session, None, "max_attempts")
    except ConfigurationError as error:  # no client can be made
        yield error.reason


_ALWAYS: tuple[Giver, ...] = (
    _failure, _environment_wins, _not_installed, _quoted, _empty, _no_number,
)  # fmt: skip
