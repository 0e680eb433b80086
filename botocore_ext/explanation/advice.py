"""What to do: mistakes that the chain itself cannot tell, each found by a function of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import ConfigurationError
from ..resolving.bystanders import AWS_KEYS, way_to_keys
from ..resolving.index import ENTRIES
from ..resolving.misspelt import meant_by
from ..resolving.profiles import selecting_keys, source_of
from ..sources.settings import whole_number
from .conclusion import first_of
from .report import Outcome, Step
from .unreadable import absent_files, misplaced
from .view import View

#: Providers that a profile calls for.
_OF_PROFILES = {
    "assume-role", "assume-role-with-web-identity", "sso", "shared-credentials-file", "login",
    "custom-process", "config-file", *(entry.method for entry in ENTRIES),
}  # fmt: skip
_STATIC = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
#: Keys that give credentials, or say whose; a profile with none of them is only settings.
_GIVING = {
    *_STATIC, "role_arn", "credential_process", "login_session", "sso_account_id", "sso_role_name",
    "web_identity_token_file", *(key for entry in ENTRIES for key in entry.selecting),
}  # fmt: skip


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


def advice(case: Case, warned: Sequence[str]) -> tuple[str, ...]:
    """Return what to know or to do, the most likely remedy first.

    Args:
        case: What was seen.
        warned: What was said already.
    """
    notes = [*warned, *(note for give in _ALWAYS for note in give(case))]
    if case.first is None:
        notes += [note for give in _WITHOUT_KEYS for note in give(case)]
        notes = notes or [*_only_settings(case), *_no_metadata(case)]
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
    for name in way_to_keys(case.view.profiles, case.view.profile):
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
    written = {f"{key} ({view.place(key)})": view.values.get(key, "") for key in _STATIC}
    written |= {key.upper(): view.environ.get(key.upper(), "") for key in _STATIC}
    for name, value in written.items():
        if str(value).strip("\"' \t\r\n") != str(value):
            yield f"{name} has quotes or white space around it, which count: remove them"


def _empty(case: Case) -> Iterator[str]:
    view = case.view
    for key in _STATIC:
        if view.values.get(key) == "":
            yield f"{key} ({view.place(key)}) is empty: write it, or remove it"


def _no_number(case: Case) -> Iterator[str]:
    try:
        whole_number(case.view.session, None, "max_attempts")
    except ConfigurationError as error:  # no client can be made
        yield error.reason


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


_Giver = Callable[[Case], Iterator[str]]
_ALWAYS: tuple[_Giver, ...] = (
    _failure, _environment_wins, _not_installed, _quoted, _empty, _no_number,
)  # fmt: skip
_WITHOUT_KEYS: tuple[_Giver, ...] = (
    _said_by_steps, _sections, _misspelt, _role_without_arn, _no_default, _left_out,
)  # fmt: skip
