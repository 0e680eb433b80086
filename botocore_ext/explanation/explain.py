"""``explain``: why a session finds the credentials that it finds, or none."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import botocore.session
from botocore.client import BaseClient
from botocore.session import Session

from ..aws.frozen_credentials import PER_REQUEST
from ..errors import no_credentials_from
from ..profiles import logger
from ..providers.function import as_provider
from ..providers.identities import PerRequest
from ..providers.insertion import bind_all
from ..refresh.identities import Identity
from ..runtime.context import identity_in_force
from ..session.hook import botocore_session
from ..session.resolver import first_region, loaded_credentials
from ..system import Clock
from .advice import Case, advice, conclusion, without_chain
from .failures import describe_error
from .report import Explanation, Outcome, Step, Verdict
from .search import Search
from .session_copy import has_only_one_provider, providers_of, session_copy
from .view import View

if TYPE_CHECKING:
    import boto3


def explain(
    session: "boto3.Session | botocore.session.Session | BaseClient | None" = None,
    *,
    offline: bool = False,
) -> Explanation:
    """Explain why a session finds the credentials that it finds, or none.

    It tries the providers of the session in order, up to the first that is configured. Later
    providers are not tried if that would send a request or run a program. The session stays
    unchanged: its credentials are neither loaded nor replaced.

    Args:
        session: A boto3 or botocore session, or one of aiobotocore, of which nothing is awaited;
            None for a new one. Or a client whose credentials come from this package.
        offline: Whether to send no request and run no program at all.

    Raises:
        TypeError: ``session`` is neither such a session nor such a client.
    """
    if isinstance(session, BaseClient):
        session = _session_of(session)
    inner = botocore_session(session or botocore.session.Session(), "explain")
    copied = session_copy(inner)
    view = View(copied)
    explanation = without_chain(view)
    if explanation is not None:
        return explanation
    loaded = loaded_credentials(inner)
    is_alone = has_only_one_provider(inner)
    providers, has_ours = providers_of(inner, copied)
    per_request = providers[0] if providers and isinstance(providers[0], PerRequest) else None
    identity = per_request.identity() if per_request else None
    about_identity = _about_identity(identity)
    if identity:
        providers = bind_all([as_provider(identity.source)], copied, first_region(inner))
    search = Search(view, Clock(), has_ours, offline)
    is_explicit = loaded is not None and loaded.method == "explicit"
    explicit = [search.explicit_step(loaded)] if loaded is not None and is_explicit else []
    with _collect_warnings() as warnings:  # about misspelled settings, for example
        if per_request and not identity:
            search.first = Step(PER_REQUEST, Outcome.FAILED, about_identity)
            steps: tuple[Step, ...] = (search.first,)
        else:
            steps = (*explicit, *map(search.step, providers))
    if is_alone and search.first is None:  # what the session itself would raise
        reason = describe_error(no_credentials_from(providers[0]))
        search.first = replace(steps[0], outcome=Outcome.FAILED, reason=reason)
        steps = (search.first,)
    if per_request:
        warnings.insert(0, about_identity)
    elif loaded is not None:
        warnings.insert(0, _about_loaded(loaded.method))
    verdict, text = conclusion(search.first, search.found, is_certain=search.is_certain)
    is_configured = verdict not in (Verdict.NOT_CONFIGURED, Verdict.UNKNOWN)
    notes = advice(Case(view, steps, search.first, has_ours, is_configured), warnings)
    profile = (view.profile, view.profile_from, view.files)
    return Explanation(verdict, text, notes, search.found, steps, *profile)


def _about_identity(identity: Identity | None) -> str:
    if identity is None:
        return "no identity is in force: use_credentials() puts one in force"
    found = identity_in_force.get()
    is_in_force = found is not None and found.identity is identity
    which = "in force now" if is_in_force else "the default, as none is in force"
    return (
        "each request is signed as the identity that is in force when the call is made: here "
        f"{identity.name} ({which})"
    )


def _session_of(client: BaseClient) -> Session:
    """Return the session whose credentials a client uses.

    Raises:
        TypeError: They do not come from a provider of this package.
    """
    credentials = getattr(getattr(client, "_request_signer", None), "_credentials", None)
    sync = getattr(credentials, "_credentials", credentials)  # behind those of aiobotocore
    session: Session | None = getattr(
        getattr(getattr(sync, "_provider", None), "scope", None), "given_session", None
    )
    if session is None:
        msg = (
            "explain() takes a client whose credentials come from a provider of this package: pass "
            "the session of the client"
        )
        raise TypeError(msg)
    # Providers of an aiobotocore session are bound to a synchronous copy of it.
    is_itself = has_only_one_provider(session)
    return session if is_itself else getattr(session, "_original", session)


def _about_loaded(method: str) -> str:
    if method == "explicit":
        return (
            "this session was given credentials in code, so no provider is tried: create it "
            "without them to use another source"
        )
    return (
        f"this session already has credentials ({method}) and keeps them: create a new session to "
        "look them up again"
    )


class _WarningCollector(logging.Handler):
    """Collects this thread's warnings about a profile: they say what to change in it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.texts.append(record.getMessage())


@contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    handler = _WarningCollector()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
