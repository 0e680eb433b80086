"""What comes of a walk."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .report import Found, Outcome, Step
from .view import View


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
