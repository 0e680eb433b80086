"""``explain``: why a session finds the credentials that it finds, or none."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import botocore.session
from botocore.credentials import CredentialProvider

from ..hook import botocore_session
from ..outside import Clock
from ..resolving.registration import loaded_credentials
from ..resolving.session_resolver import nothing_from
from .advice import advice
from .asking import Walk
from .calls import Calls
from .conclusion import Case, conclusion
from .failures import said
from .report import Explanation, Outcome, Step
from .twin import asks_one_alone, providers_of, twin_of
from .unreadable import unreadable
from .view import View

if TYPE_CHECKING:
    import boto3


def explain(
    session: "boto3.Session | botocore.session.Session | None" = None, *, offline: bool = False
) -> Explanation:
    """Say why a session finds the credentials that it finds, or none.

    It asks whom the session would ask, in the same order, up to the first that has keys or fails;
    of those behind it none is asked that sends or runs anything. The session is left as it was: it
    still has no credentials, or those that it had.

    Args:
        session: A boto3 or botocore session, or one of aiobotocore, of which nothing is awaited;
            None: one that is made now.
        offline: Whether to send and run nothing at all.

    Raises:
        TypeError: It is no such session.
    """
    inner = botocore_session(session or botocore.session.Session(), "explain")
    twin, clock = twin_of(inner), Clock()
    view = View(twin)
    nothing_to_walk = unreadable(view)
    if nothing_to_walk is not None:
        return nothing_to_walk
    held = loaded_credentials(inner)
    is_alone = asks_one_alone(inner)
    providers, is_ours = providers_of(inner, twin)
    walk = Walk(view, Calls(twin, clock.monotonic), clock, is_ours, offline)
    given = (walk.given(held),) if held is not None and held.method == "explicit" else ()
    with _warnings() as warned:  # of misspelt keys, for example
        steps = (*given, *map(walk.step, providers))
    if is_alone and walk.first is None:
        steps = (_of_nothing(steps[0], providers[0]),)
    if held is not None:
        warned.insert(0, _of_held(held.method))
    notes = advice(Case(view, steps, is_ours), warned)
    end = conclusion(steps, walk.found)
    return Explanation(view.profile, view.profile_from, view.files, steps, walk.found, end, notes)


def _of_nothing(step: Step, only: CredentialProvider) -> Step:
    """Say what a session raises that asks one provider alone, where that has nothing."""
    return replace(step, outcome=Outcome.FAILED, reason=said(nothing_from(only)))


def _of_held(method: str) -> str:
    if method == "explicit":
        return (
            "this session was given its keys in code, and asks nobody: make it without them to use "
            "another source"
        )
    return f"this session has keys already ({method}), and looks for none until it is made anew"


class _Warnings(logging.Handler):
    """Keeps the warnings about a profile: they say what to change in it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.texts.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    handler, logger = _Warnings(), logging.getLogger("botocore_ext.resolving")
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
