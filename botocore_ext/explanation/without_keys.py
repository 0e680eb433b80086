"""What may be wrong where nobody has keys: mistakes that the chain itself cannot tell."""

from collections.abc import Iterator

from ..resolving.bystanders import AWS_KEYS
from ..resolving.index import ENTRIES
from ..resolving.misspelt import meant_by
from .conclusion import Case, Giver
from .unreadable import absent_files, misplaced

#: Keys of a profile that are credentials themselves.
STATIC = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
#: Keys that give credentials, or say whose; a profile with none of them is only settings.
_GIVING = {
    *STATIC, "role_arn", "credential_process", "login_session", "sso_account_id", "sso_role_name",
    "web_identity_token_file", *(key for entry in ENTRIES for key in entry.selecting),
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
