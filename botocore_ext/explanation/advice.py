"""What an explanation concludes, and what to do.

Advice covers mistakes that the credential provider chain itself cannot see.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from botocore.credentials import create_credential_resolver
from botocore.exceptions import ConfigParseError

from ..aws.botocore_errors import create_with_botocore, unreadable_file, whole_number
from ..catalogue import INSERTED
from ..errors import ConfigurationError, nearest
from ..profiles.inert import AWS_KEYS, source_profile_chain
from ..profiles.registry import rows_of, source_of, unknown_keys
from ..profiles.selection import meant_by, selecting_keys
from ..system import in_environment, uses_plugins, why_no_file
from .botocore_rules import CREDENTIAL_SETTINGS, RULES
from .report import Explanation, Found, Outcome, Step, Verdict
from .view import Line, View, profile_in_config


def conclusion(first: Step | None, found: Found | None, *, is_certain: bool) -> tuple[Verdict, str]:
    """Return the result of the search, and the same in one sentence.

    It stopped at ``first``, the first configured provider. ``is_certain``: whether it is certain
    that this one is configured, also if it was not tried.
    """
    if found is not None:
        return Verdict.FOUND, f"Found by {found.provider}: {found}."
    if first is None:
        text = 'no provider is configured, and boto3 says "Unable to locate credentials".'
        return Verdict.NOT_CONFIGURED, f"No credentials: {text}"
    if first.outcome is Outcome.FAILED:
        return Verdict.FAILED, f"No credentials: {first.provider} is configured but failed."
    because = f"(not tried: {first.reason})"
    if is_certain:
        return Verdict.CONFIGURED, f"{first.provider} is configured {because}."
    text = f"only {first.provider} may have credentials {because}."
    return Verdict.UNKNOWN, f"No provider is known to be configured: {text}"


# Where there is no chain: an unreadable file, a missing profile, an unusable setting.


def without_chain(view: View) -> Explanation | None:
    """Return the explanation for a session that has no chain; None if it has one."""
    try:
        is_missing = view.profile not in view.profiles and view.profile_name is not None
    except ConfigParseError as error:
        location, remedy = unreadable_file(error)
        for path in (view.credentials_file, view.config_file):  # as the user wrote it
            location = location.replace(in_environment(path), path)
        text = f"No credentials: {location} cannot be read, so every boto3 session fails."
        return _without_steps(view, Verdict.BAD_FILE, text, remedy)
    if is_missing:
        text = (
            f"No credentials: there is no profile '{view.profile}', and boto3 says "
            f'"The config profile ({view.profile}) could not be found".'
        )
        notes = dict.fromkeys(_about_missing_profile(view))
        return _without_steps(view, Verdict.NO_PROFILE, text, *notes)
    session = view.session
    try:
        create_with_botocore(session, None, partial(create_credential_resolver, session))
    except ConfigurationError as error:
        fact, _, remedy = error.reason.partition(": ")
        text = f"No credentials: {fact}, so boto3 cannot look for credentials in any session."
        return _without_steps(view, Verdict.BAD_SETTING, text, remedy)
    return None


def _without_steps(view: View, verdict: Verdict, text: str, *notes: str) -> Explanation:
    found = (view.profile, view.profile_from, view.files)
    return Explanation(verdict, text, notes, None, (), *found)


def _about_missing_profile(view: View) -> Iterator[str]:
    if not view.profile:
        remedy = f"unset {view.variable}" if view.variable else "leave it out"
        yield f"the name of the profile is empty: {remedy}, or name a profile"
        return
    sections = list(_misplaced_sections(view))
    yield from sections
    names = sorted(view.profiles)
    same = [name for name in names if name.lower() == view.profile.lower()]
    if same:
        yield f"profile names are case-sensitive: there is a profile '{same[0]}'"
    elif names and not sections:
        yield f"did you mean '{nearest(view.profile, names)}'? The profiles are: {', '.join(names)}"
    elif not sections:
        yield "the files have no profiles: check that these are the right files"
    yield from _missing_files(view)
    if view.variable:
        yield f"correct {view.variable}, or unset it"


def _misplaced_sections(view: View) -> Iterator[str]:
    """Find sections that look like the profile but are not read as one."""

    def looks_like_it(line: Line) -> bool:
        words = line.section.strip().split()
        return line.key is None and bool(words) and words[-1].lower() == view.profile.lower()

    for line in filter(looks_like_it, view.config_lines):
        if profile_in_config(line.section) is None:
            yield (
                f"[{line.section}] in {view.config_file}:{line.number} is not a profile: write "
                f"[profile {view.profile}]"
            )
    for line in filter(looks_like_it, view.credentials_lines):
        if line.section.split()[0].lower() == "profile":
            yield (
                f"[{line.section}] in {view.credentials_file}:{line.number} is not a profile: in "
                f"the credentials file write [{view.profile}]"
            )


def _missing_files(view: View) -> Iterator[str]:
    """Find variables that name something that is not a file."""
    for name, path in {
        "AWS_CONFIG_FILE": view.config_file,
        "AWS_SHARED_CREDENTIALS_FILE": view.credentials_file,
    }.items():
        absence = why_no_file(path)
        if name in view.environ and absence:
            yield f"{name} names {path}, which {absence}: correct it, or unset it"


# What to know or to do where there is a chain.


@dataclass(frozen=True)
class Case:
    """The chain that advice is about."""

    view: View
    steps: Sequence[Step]
    #: The first configured provider, where the search stopped; None if none is configured.
    first: Step | None
    #: Whether providers of this package may be part of it.
    has_ours: bool
    #: Whether any provider is known to be configured.
    is_configured: bool


#: Yields notes on a case.
_Adviser: TypeAlias = Callable[[Case], Iterator[str]]


def advice(case: Case, warnings: Sequence[str]) -> tuple[str, ...]:
    """Return what to know or to do, the most likely remedy first, after ``warnings``."""
    notes = [note for advise in _ALWAYS for note in advise(case)]
    notes[:0] = [*_failure(case), *warnings]
    if not case.is_configured:
        notes += [note for advise in _MISTAKES for note in advise(case)]
        notes = notes or [note for advise in _OTHERWISE for note in advise(case)]
    return tuple(dict.fromkeys(notes))


def _failure(case: Case) -> Iterator[str]:
    if case.first and case.first.outcome is Outcome.FAILED:
        yield case.first.reason


def _environment_wins(case: Case) -> Iterator[str]:
    profile = case.view.profile
    of_profile = {method for method, rule in RULES.items() if rule.keys}
    of_profile |= {row.method for row in rows_of(case.view.values)}
    skipped = {step.provider for step in case.steps if step.outcome is Outcome.SKIPPED}
    if case.first and case.first.provider == "env" and of_profile & skipped:
        yield (
            f"environment credentials win over profile '{profile}': unset AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or name the profile in code "
            f"(boto3.Session(profile_name='{profile}'))"
        )


def _not_installed(case: Case) -> Iterator[str]:
    if case.has_ours:
        return
    for name in source_profile_chain(case.view.profiles, case.view.profile):
        values = case.view.profiles[name]
        keys = [key for _, key in selecting_keys(values)]
        keys += ["credential_source"] * (source_of(values) is not None)
        if keys:
            yield (
                f"plain boto3 does not know {keys[0]} in profile '{name}' "
                f"({case.view.location(keys[0], name)}): call botocore_ext.install() before you "
                "create the session, or botocore_ext.extend(session)"
            )


def _about_quotes(case: Case) -> Iterator[str]:
    view = case.view
    written = {
        f"{key} ({view.location(key)})": view.values.get(key, "") for key in CREDENTIAL_SETTINGS
    }
    written |= {key.upper(): view.environ.get(key.upper(), "") for key in CREDENTIAL_SETTINGS}
    for name, value in written.items():
        if str(value).strip("\"' \t\r\n") != str(value):
            yield (
                f"{name} has quotes or white space around it, which are part of the value: remove "
                "them"
            )


def _about_empty(case: Case) -> Iterator[str]:
    view = case.view
    for key in CREDENTIAL_SETTINGS:
        if view.values.get(key) == "":
            yield f"{key} ({view.location(key)}) is empty: set it, or remove it"


def _bad_number(case: Case) -> Iterator[str]:
    try:
        whole_number(case.view.session, None, "max_attempts")
    except ConfigurationError as error:  # botocore cannot create a client
        yield error.reason


def _plugins_off(case: Case) -> Iterator[str]:
    others = unknown_keys(case.view.values)
    if others and not uses_plugins():
        yield (
            f"BOTOCORE_EXT_NO_PLUGINS is set, so no other package is searched for {others[0]} "
            f"({case.view.location(others[0])}): unset it to use plugins"
        )


_ALWAYS: tuple[_Adviser, ...] = (
    _environment_wins, _not_installed, _about_quotes, _about_empty, _bad_number, _plugins_off,
)  # fmt: skip


# Mistakes that may be the reason why no provider is configured.


def _reasons_with_remedy(case: Case) -> Iterator[str]:
    for step in case.steps:
        if ": " in step.reason:
            yield f"{step.provider}: {step.reason}"


def _about_sections(case: Case) -> Iterator[str]:
    yield from _misplaced_sections(case.view)
    yield from _missing_files(case.view)


def _about_misspelled(case: Case) -> Iterator[str]:
    view = case.view
    for key in view.values:
        meant = meant_by(key, AWS_KEYS) if key not in AWS_KEYS else None
        if meant and not (case.has_ours and meant_by(key)):
            yield f"{key} ({view.location(key)}) is not a known setting: did you mean {meant}?"


def _role_without_arn(case: Case) -> Iterator[str]:
    view = case.view
    for key in ("source_profile", "credential_source"):
        if key in view.values and "role_arn" not in view.values:
            yield f"{key} ({view.location(key)}) needs a role: add role_arn to the profile"


def _no_default(case: Case) -> Iterator[str]:
    view = case.view
    if view.profile_name is None and view.profiles and view.profile not in view.profiles:
        yield (
            "no profile is named, and there is no profile 'default': set AWS_PROFILE to one of "
            f"{', '.join(sorted(view.profiles))}"
        )


def _environment_ignored(case: Case) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        if case.view.is_explicit and case.view.environ.get(name):
            yield (
                f"{name} is set, but botocore ignores it because the caller names a profile: leave "
                "the profile out to use it"
            )


#: The most likely mistakes first.
_MISTAKES: tuple[_Adviser, ...] = (
    _reasons_with_remedy, _about_sections, _about_misspelled, _role_without_arn, _no_default,
    _environment_ignored,
)  # fmt: skip

#: Settings that provide credentials, or name their identity.
_PROVIDING = {
    *CREDENTIAL_SETTINGS, "role_arn", "credential_process", "login_session", "sso_account_id",
    "sso_role_name", "web_identity_token_file", *(key for row in INSERTED for key in row.selecting),
}  # fmt: skip


def _no_providing_setting(case: Case) -> Iterator[str]:
    view = case.view
    if view.values and not _PROVIDING & view.values.keys():
        yield (
            f"profile '{view.profile}' has {', '.join(sorted(view.values))}, but no setting that "
            "provides credentials: add one, for example with "
            f"`aws configure --profile {view.profile}`"
        )


def _no_settings(case: Case) -> Iterator[str]:
    if case.steps and not case.view.values:
        yield (
            "add credentials, for example with `aws configure`, or log in with `aws login` or "
            "`aws sso login`"
        )


def _metadata_disabled(case: Case) -> Iterator[str]:
    if case.view.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        yield "on an EC2 instance with a role, unset AWS_EC2_METADATA_DISABLED"


#: Used only if no other note applies.
_OTHERWISE: tuple[_Adviser, ...] = (
    _no_providing_setting, _no_settings, _metadata_disabled,
)  # fmt: skip
