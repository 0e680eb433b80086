"""``explain``: why a session finds the credentials that it finds, or none."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

import botocore.session
from botocore.credentials import CredentialProvider, Credentials
from botocore.session import Session

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import Attempt, ConfigurationError, NotConfigured, ProviderError, nothing_from
from ..options.resolution import PROFILE
from ..options.scope import ProfileScope
from ..profiles.inert import source_profile_chain
from ..profiles.selection import selecting_keys
from ..providers.base import Provider
from ..providers.chain import fetch_from
from ..providers.function import FunctionProvider
from ..providers.insertion import Unselected
from ..runtime.context import Event, run_with_listener
from ..runtime.deadline import run_with_budget
from ..session.hook import botocore_session
from ..session.resolver import loaded_credentials
from ..system import Clock
from .advice import Case, advice, conclusion, unreadable
from .botocore_rules import RULES, Rule, is_written, role_of_ours, why_unselected
from .failures import keys_of, said
from .report import Call, Explanation, Found, Outcome, Setting, Step, host_of, readable, shown
from .session_copy import asks_one_alone, providers_of, twin_of
from .view import View

if TYPE_CHECKING:
    import boto3


# The inner calls of one provider: seen through botocore's own events, and by ``observation``.

T = TypeVar("T")

#: What is known of a call when it begins, in botocore's context of it.
_BEGAN = "botocore_ext.explanation"


class Calls:
    """Writes down what clients of one session do, and what is told of chains and endpoints."""

    def __init__(self, session: Session, steady: Callable[[], float]) -> None:
        """Take the session, of which every client is made from now on, and a steady clock."""
        self._steady = steady
        self.calls: list[Call] = []
        self.links: list[Step] = []
        register: Any = session.register  # typed for handlers that take nothing by name
        register("before-call", self._begins)
        register("after-call", self._ends)
        register("after-call-error", self._ends)

    def forget(self) -> None:
        """Begin anew."""
        self.calls, self.links = [], []

    def noted(self, asked: tuple[str, str] | None, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, and write down what it calls.

        Args:
            asked: What a provider of botocore's does without a client, and which host it asks;
                None: nothing.
            work: What calls.

        Raises:
            Exception: What ``work`` raised.
        """
        began, is_sent = self._steady(), asked is not None
        try:
            return run_with_listener(self._hear, work)
        except ConfigurationError:
            is_sent = False
            raise
        finally:
            if asked and is_sent:
                operation, host = asked
                self.calls.append(Call(operation, host, None, self._since(began)))

    def _begins(
        self, model: Any, params: Any, request_signer: Any, context: dict[str, Any], **_: Any
    ) -> None:
        operation = f"{model.service_model.service_name}.{model.name}"
        began, region = self._steady(), request_signer.region_name
        context[_BEGAN] = (began, operation, host_of(params["url"]), region)

    def _ends(self, context: dict[str, Any], **_: Any) -> None:
        if _BEGAN in context:  # else another handler has answered in the place of the service
            began, operation, host, region = context[_BEGAN]
            self.calls.append(Call(operation, host, region, self._since(began)))

    def _hear(self, event: Event) -> None:
        name, said = event
        if isinstance(said, float):
            self.calls.append(Call("GET", name, None, round(said)))
        elif isinstance(said, Exception):
            self.links.append(Step(name, Outcome.FAILED))  # why is said of the chain
        elif isinstance(said, Attempt):
            self.links.append(Step(name, Outcome.NOT_CALLED_FOR, " ".join(said.reason.split())))
        else:
            self.links.append(Step(name, Outcome.FOUND))

    def _since(self, began: float) -> int:
        return round(1000 * (self._steady() - began))


# What is set of the options of our providers, and of a role and its sources, and where.


def settings_of_ours(view: View, provider: Provider) -> Iterator[Setting]:
    """Give the options that are set of a provider of ours."""
    for one in provider.options():
        _, origin, problem = provider._resolution(one)
        if origin is None:
            continue
        key = str(origin.key(one))
        place = origin.kind
        if origin.kind == PROFILE:
            place = view.place(key, provider.scope.profile)
        value: Any = origin.values[key]
        # What is malformed may be a misplaced secret.
        is_shown = not one.secret and problem is None and isinstance(value, (str, int, float))
        yield Setting(key, readable(value) if is_shown else "(set)", place)


def settings_of_role(view: View) -> Iterator[Setting]:
    """Give what is set for a role, and in the profiles of its sources."""
    every = (RULES["assume-role"], *RULES.values())
    keys = dict.fromkeys(key for rule in every for key in rule.keys)
    for name in source_profile_chain(view.profiles, view.profile):
        yield from view.settings(keys, (), profile=name)
        scope = ProfileScope(view.session, profile=name, environ=view.environ)
        ours = [row.load()().bind(scope) for row, _ in selecting_keys(scope.profile_values)]
        found = [one for provider in ours for one in settings_of_ours(view, provider)]
        yield from (one for one in dict.fromkeys(found) if one.name not in keys)


# Walks a chain as botocore would, and says what each provider comes to.

#: How a session of boto3 is given keys.
_GIVEN = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id")
#: What is known of a provider of others': nothing.
_UNKNOWN = Rule(lambda _: None, lambda _: "", empty=lambda _: "it has no keys here")


@dataclass
class Walk:
    """One walk, and what it has come to so far."""

    view: View
    calls: Calls
    clock: Clock
    #: Whether ours may be in the chain.
    is_ours: bool
    offline: bool
    found: Found | None = None
    #: What ended it: it has keys, has failed, or would be asked.
    first: Step | None = None

    def given(self, held: Credentials) -> Step:
        """Say that code gave the session its keys, so that nobody is asked."""
        name = str(held.method)
        account = getattr(held, "account_id", None)
        values = (held.access_key, held.secret_key, held.token, account)
        written = [(key, value) for key, value in zip(_GIVEN, values, strict=True) if value]
        settings = tuple(Setting(key, shown(key, value), "code") for key, value in written)
        try:  # not through get_frozen_credentials(), which aiobotocore's would have awaited
            keys = FrozenCredentials(
                held.access_key, held.secret_key, held.token, account_id=account
            )
        except ValueError as error:
            reason = f"{error}: give the session both keys, or none"
            self.first = Step(name, Outcome.FAILED, reason, settings)
        else:
            self.found = Found.of(name, keys, self.clock.now())
            self.first = Step(name, Outcome.FOUND, "its keys were given in code", settings)
        return self.first

    def step(self, provider: CredentialProvider) -> Step:
        """Say what comes of one provider, asking it if it is its turn."""
        name, failure = str(provider.METHOD), None
        try:
            reason_not_selected = self._why_not(provider)
        except ProviderError as error:  # a profile that contradicts itself: it says whose it is
            is_meant = error.kwargs["provider"] == name or is_written(self.view, name)
            reason_not_selected = None if is_meant else why_unselected(self.view, name)
            failure = error
        if reason_not_selected is not None:
            return Step(name, Outcome.NOT_CALLED_FOR, reason_not_selected)
        if self.first is not None:
            return Step(name, Outcome.SHADOWED, self._by(self.first, provider))
        settings = tuple(self._settings(provider))
        if failure is not None:
            self.first = Step(name, Outcome.FAILED, said(failure), settings)
            return self.first
        step = replace(self._asked(provider), settings=settings)
        if step.outcome is not Outcome.NOT_CALLED_FOR:
            self.first = step
        return step

    def _by(self, first: Step, provider: CredentialProvider) -> str:
        by = f"by {first.provider}"
        if first.outcome is Outcome.FAILED:
            by += ", which failed"
        is_known = isinstance(provider, Provider) or str(provider.METHOD) in RULES
        return by if is_known else f"{by}; it was not asked whether it has keys"

    def _why_not(self, provider: CredentialProvider) -> str | None:
        """Say why the provider is not called for; None if it is, or if only asking tells.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        method = str(provider.METHOD)
        if isinstance(provider, Unselected):
            return why_unselected(self.view, method)
        if isinstance(provider, Provider):
            if provider.is_selected():
                return None
            of_profile = isinstance(provider.scope, ProfileScope)
            return (
                why_unselected(self.view, method) if of_profile else provider._reason_not_selected()
            )
        rule = RULES.get(method, _UNKNOWN)
        if rule is RULES["assume-role"] and self.is_ours:
            return role_of_ours(self.view)
        reason_not_selected = rule.reason_not_selected(self.view)
        if reason_not_selected is None and rule.is_local and self.first is not None:
            return self._nothing(provider, rule)
        return reason_not_selected

    def _nothing(self, provider: CredentialProvider, rule: Rule) -> str | None:
        """Say why a provider that only reads files has nothing; None if it has, or would fail."""
        try:
            keys = keys_of(provider, self.view)
        except Exception:  # noqa: BLE001 - it is not its turn
            return None
        return None if keys else rule.empty(self.view)

    def _asked(self, provider: CredentialProvider) -> Step:
        """Ask a provider whose turn it is."""
        name = str(provider.METHOD)
        rule = _UNKNOWN if isinstance(provider, Provider) else RULES.get(name, _UNKNOWN)
        self.calls.forget()
        try:
            postponed = self._postponed(provider, rule)
            if postponed:
                return Step(name, Outcome.WOULD_ASK, postponed)
            keys = self.calls.noted(rule.asks(self.view), partial(self._obtained, provider))
        except Exception as error:  # noqa: BLE001 - whatever is raised is an outcome
            # A function that returned None: the search goes on.
            is_none = isinstance(provider, FunctionProvider) and isinstance(error, NotConfigured)
            outcome, reason = Outcome.NOT_CALLED_FOR if is_none else Outcome.FAILED, said(error)
        else:
            outcome, reason = Outcome.NOT_CALLED_FOR, rule.empty(self.view)
            if keys:
                self.found = Found.of(name, keys, self.clock.now())
                outcome, reason = Outcome.FOUND, ""
        return Step(name, outcome, reason, (), tuple(self.calls.calls), tuple(self.calls.links))

    def _obtained(self, provider: CredentialProvider) -> FrozenCredentials | None:
        if not isinstance(provider, Provider):
            return keys_of(provider, self.view)
        return run_with_budget(self.clock.monotonic, partial(fetch_from, provider))

    def _postponed(self, provider: CredentialProvider, rule: Rule) -> str:
        """Say why a provider is not asked though it is its turn; nothing if it is.

        Raises:
            ConfigurationError: An option of one of ours is missing or malformed.
        """
        if iscoroutinefunction(provider.load):
            return "not asked: only an event loop can wait for it"
        if rule is RULES["assume-role"]:
            way = source_profile_chain(self.view.profiles, self.view.profile)
            if any("mfa_serial" in self.view.profiles[name] for name in way):
                return "not asked: it takes an MFA code, which only a person can type"
        if not self.offline or rule.is_local:
            return ""
        if isinstance(provider, Provider):
            provider.check()
        return "not asked: offline"

    def _settings(self, provider: CredentialProvider) -> Iterable[Setting]:
        if isinstance(provider, Provider):
            return settings_of_ours(self.view, provider)
        rule = RULES.get(str(provider.METHOD), _UNKNOWN)
        is_role = rule is RULES["assume-role"]
        return settings_of_role(self.view) if is_role else rule.settings(self.view)


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
    handler, logger = _Warnings(), logging.getLogger("botocore_ext.profiles")
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
