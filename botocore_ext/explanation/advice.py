"""What to do: mistakes that the chain itself cannot tell, each found by a function of its own."""

from collections.abc import Iterator, Sequence

from ..errors import ConfigurationError
from ..resolving.bystanders import way_to_keys
from ..resolving.index import ENTRIES
from ..resolving.profiles import selecting_keys, source_of
from ..sources.settings import whole_number
from .conclusion import Case, Giver
from .report import Outcome
from .without_keys import MISTAKES, OTHERWISE, STATIC

#: Providers that a profile calls for.
_OF_PROFILES = {
    "assume-role", "assume-role-with-web-identity", "sso", "shared-credentials-file", "login",
    "custom-process", "config-file", *(entry.method for entry in ENTRIES),
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
