"""``explain``: why a session finds the credentials that it finds, or none."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

import botocore.session
from botocore.client import BaseClient
from botocore.credentials import CredentialProvider, Credentials
from botocore.session import Session

from ..aws.frozen_credentials import PER_REQUEST, FrozenCredentials
from ..errors import Attempt, ConfigurationError, NotConfigured, no_credentials_from
from ..options.resolution import PROFILE
from ..options.scope import ProfileScope
from ..profiles import logger
from ..profiles.inert import source_profile_chain
from ..profiles.registry import rows_of
from ..profiles.selection import reason_not_selected, selecting_keys
from ..providers.base import Provider
from ..providers.chain import CredentialChain, fetch_from
from ..providers.function import FunctionProvider, as_provider
from ..providers.identities import PerRequest
from ..providers.insertion import Unselected, bind_all
from ..refresh.identities import Identity
from ..runtime.context import Event, identity_in_force, run_with_listener
from ..runtime.deadline import run_with_budget
from ..session.hook import botocore_session
from ..session.resolver import first_region, loaded_credentials
from ..system import Clock
from .advice import Case, advice, conclusion, without_chain
from .botocore_rules import RULES, STATIC, Rule, role_with_ours
from .failures import credentials_of, describe_error
from .report import Call, Explanation, Found, Outcome, Setting, Step, Verdict
from .session_copy import has_only_one_provider, providers_of, session_copy
from .values import host_of, redact, redact_option
from .view import View

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")


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
        TypeError: ``session`` is neither.
    """
    if isinstance(session, BaseClient):
        session = _session_of(session)
    inner = botocore_session(session or botocore.session.Session(), "explain")
    copied, clock = session_copy(inner), Clock()
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
    search = _Search(view, _Recorder(copied, clock.monotonic), clock, has_ours, offline)
    is_explicit = loaded is not None and loaded.method == "explicit"
    explicit = [search.explicit_step(loaded)] if loaded is not None and is_explicit else []
    with _collected_warnings() as warnings:  # about misspelled settings, for example
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
def _collected_warnings() -> Iterator[list[str]]:
    handler = _WarningCollector()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)


# The search through the credential provider chain.

#: The rule of a third-party provider.
_UNKNOWN = Rule(lambda _: None, source=lambda _: "", is_guess=True)


@dataclass
class _Search:
    """Tries the providers of a chain as botocore would, and says what happened to each."""

    view: View
    recorder: "_Recorder"
    clock: Clock
    #: Whether providers of this package may be part of the chain.
    has_ours: bool
    offline: bool
    found: Found | None = None
    #: The first configured provider: later ones are skipped.
    first: Step | None = None
    #: Whether it is certain that this one is configured, also if it was not tried.
    is_certain: bool = True

    def explicit_step(self, loaded: Credentials) -> Step:
        """Return the step of a session that was given its credentials in code."""
        name = str(loaded.method)
        account = getattr(loaded, "account_id", None)
        # Not get_frozen_credentials(), which would have to be awaited in aiobotocore.
        parts = (loaded.access_key, loaded.secret_key, loaded.token)
        given = zip((*STATIC, "aws_account_id"), (*parts, account), strict=True)
        settings = tuple(Setting(key, redact(key, value), "code") for key, value in given if value)
        try:
            credentials = FrozenCredentials(*parts, account_id=account)
        except ValueError as error:
            reason = f"{error}: pass both the access key and the secret access key, or neither"
            self.first = Step(name, Outcome.FAILED, reason, settings)
        else:
            self.found = Found.of(name, credentials, self.clock.now())
            self.first = Step(name, Outcome.FOUND, "passed in code", settings)
        return self.first

    def step(self, provider: CredentialProvider) -> Step:
        """Return what happens to one provider; it is tried if it is the first configured one."""
        name, failure = str(provider.METHOD), None
        try:
            reason = self._reason_not_configured(provider)
        except ConfigurationError as error:  # the profile contradicts itself
            is_involved = name in [row.method for row, _ in selecting_keys(self.view.values)]
            reason = None if is_involved else self._reason_not_selected(name)
            failure = error
        if reason is not None:
            return Step(name, Outcome.NOT_CONFIGURED, reason)
        if self.first is not None:
            return Step(name, Outcome.SKIPPED, self._reason_skipped(self.first, provider))
        settings = tuple(_settings(self.view, provider))
        if failure is not None:
            self.first = Step(name, Outcome.FAILED, describe_error(failure), settings)
            return self.first
        step = replace(self._try(provider), settings=settings)
        if step.outcome is not Outcome.NOT_CONFIGURED:
            self.first, self.is_certain = step, not _rule_of(provider).is_guess
        return step

    def _reason_not_configured(self, provider: CredentialProvider) -> str | None:
        """Return why the provider is not configured; None if it is, or if only trying it tells.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        method = str(provider.METHOD)
        if isinstance(provider, (Provider, Unselected)) and provider.is_selected():
            return None
        if isinstance(provider, Provider) and not isinstance(provider.scope, ProfileScope):
            return provider._reason_not_selected()
        if isinstance(provider, (Provider, Unselected)):
            return self._reason_not_selected(method)
        if method == "assume-role" and self.has_ours:
            return role_with_ours(self.view)
        rule = _rule_of(provider)
        reason = rule.reason_not_configured(self.view)
        if reason is None and rule.is_local and self.first is not None:
            return self._reason_empty(provider, rule)
        return reason

    def _reason_not_selected(self, method: str) -> str:
        row = next(row for row in rows_of(self.view.values) if row.method == method)
        return f"profile '{self.view.profile}' {reason_not_selected(self.view.values, row)}"

    def _reason_empty(self, provider: CredentialProvider, rule: Rule) -> str | None:
        """Return why the files of a provider have no credentials; None if they have, or fail."""
        try:
            credentials = credentials_of(provider, self.view)
        except Exception:  # noqa: BLE001 - only the first configured provider may fail
            return None
        return None if credentials else rule.reason_empty(self.view)

    def _reason_skipped(self, first: Step, provider: CredentialProvider) -> str:
        outcomes = {Outcome.FOUND: "was used", Outcome.FAILED: "failed"}
        reason = f"an earlier provider {outcomes.get(first.outcome, 'was not tried')}"
        is_known = isinstance(provider, Provider) or str(provider.METHOD) in RULES
        return reason if is_known else f"{reason}; whether this one has credentials is not known"

    def _try(self, provider: CredentialProvider) -> Step:
        name = str(provider.METHOD)
        rule = _rule_of(provider)
        self.recorder.clear()
        try:
            reason = self._reason_not_tried(provider, rule)
            if reason:
                links = tuple(_links(self.view, provider, ()))
                return Step(name, Outcome.NOT_TRIED, reason, links=links)
            fetch = partial(self._fetch, provider)
            credentials = self.recorder.record(rule.call(self.view), fetch)
        except Exception as error:  # noqa: BLE001 - whatever is raised is an outcome
            # A function that returned None: the search goes on.
            is_none = isinstance(provider, FunctionProvider) and isinstance(error, NotConfigured)
            outcome = Outcome.NOT_CONFIGURED if is_none else Outcome.FAILED
            reason = describe_error(error)
        else:
            outcome, reason = Outcome.NOT_CONFIGURED, rule.reason_empty(self.view)
            if credentials:
                self.found = Found.of(name, credentials, self.clock.now())
                outcome, reason = Outcome.FOUND, ""
        calls = tuple(self.recorder.calls)
        recorded = self.recorder.links  # none if the links of a chain have an error
        links = tuple(_links(self.view, provider, recorded)) if recorded else ()
        return Step(name, outcome, reason, (), calls, links)

    def _fetch(self, provider: CredentialProvider) -> FrozenCredentials | None:
        if not isinstance(provider, Provider):
            return credentials_of(provider, self.view)
        return run_with_budget(self.clock.monotonic, partial(fetch_from, provider))

    def _reason_not_tried(self, provider: CredentialProvider, rule: Rule) -> str:
        """Return why the first configured provider is not tried; an empty text if it is.

        Raises:
            ConfigurationError: An option of a provider of this package is missing or malformed.
        """
        if iscoroutinefunction(provider.load):
            return "only an event loop can await it"
        if rule is RULES["assume-role"]:
            chain = source_profile_chain(self.view.profiles, self.view.profile)
            if any("mfa_serial" in self.view.profiles[name] for name in chain):
                return "it needs an MFA code, which only a person can enter"
        if not self.offline or rule.is_local:
            return ""
        if isinstance(provider, Provider):
            provider.check()
        return "offline"


class _Recorder:
    """Records the calls of a session's clients, the links of chains and requests to endpoints."""

    #: The key under which the start of a call is kept in botocore's context of the call.
    _BEGAN = "botocore_ext.explanation"

    def __init__(self, session: Session, steady: Callable[[], float]) -> None:
        """Listen to every client that ``session`` creates from now on."""
        self._steady = steady
        self.calls: list[Call] = []
        self.links: list[Step] = []
        register: Any = session.get_component("event_emitter").register
        register("before-call", self._before_call)
        register("after-call", self._after_call)
        register("after-call-error", self._after_call)

    def clear(self) -> None:
        """Forget what was recorded."""
        self.calls, self.links = [], []

    def record(self, call: tuple[str, str] | None, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, and record its calls.

        Args:
            call: Operation and host of a call that a provider of botocore makes without a client.
            work: Makes the calls.

        Raises:
            Exception: What ``work`` raised.
        """
        began, is_sent = self._steady(), call is not None
        try:
            return run_with_listener(self._on_event, work)
        except ConfigurationError:
            is_sent = False
            raise
        finally:
            if call and is_sent:
                operation, host = call
                self.calls.append(Call(operation, host, None, self._since(began)))

    def _before_call(
        self, model: Any, params: Any, request_signer: Any, context: dict[str, Any], **_: Any
    ) -> None:
        operation = f"{model.service_model.service_name}.{model.name}"
        began, region = self._steady(), request_signer.region_name
        context[self._BEGAN] = (began, operation, host_of(params["url"]), region)

    def _after_call(self, context: dict[str, Any], **_: Any) -> None:
        if self._BEGAN in context:  # else another handler answered instead of the service
            began, operation, host, region = context[self._BEGAN]
            self.calls.append(Call(operation, host, region, self._since(began)))

    def _on_event(self, event: Event) -> None:
        name, result = event
        if isinstance(result, float):
            method, _, host = name.partition(" ")
            self.calls.append(Call(method, host, None, round(result)))
        elif isinstance(result, Exception):
            self.links.append(Step(name, Outcome.FAILED))  # the step of the chain has the reason
        elif isinstance(result, Attempt):
            reason = " ".join(result.reason.split())
            self.links.append(Step(name, Outcome.NOT_CONFIGURED, reason))
        else:
            self.links.append(Step(name, Outcome.FOUND))

    def _since(self, began: float) -> int:
        return round(1000 * (self._steady() - began))


# The options that are set, and where.

#: The rule of a provider of this package, which says itself whether it is configured.
_OURS = Rule(lambda _: None, source=lambda _: "")


def _rule_of(provider: CredentialProvider) -> Rule:
    """Return what is known of a provider."""
    if isinstance(provider, Provider):
        return _UNKNOWN if isinstance(provider, FunctionProvider) else _OURS
    return RULES.get(str(provider.METHOD), _UNKNOWN)


def _settings(view: View, provider: CredentialProvider) -> Iterator[Setting]:
    """Yield the settings and variables that configure a provider."""
    method = str(provider.METHOD)
    if isinstance(provider, Provider) and method == "custom-profile":
        yield from _settings_of_profile(view, str(provider.scope.profile))
    elif isinstance(provider, Provider) and method != "env":
        yield from _settings_of_ours(view, provider)
    elif method == "assume-role":
        yield from _settings_of_profile(view, view.profile)
    else:
        rule = RULES.get(method, _UNKNOWN)
        yield from view.settings(rule.keys, rule.variables)


def _links(view: View, provider: CredentialProvider, tried: Sequence[Step]) -> Iterator[Step]:
    """Yield the links of a chain with their settings: those that were tried, then the others."""
    links = dict(provider._bound_links()) if isinstance(provider, CredentialChain) else {}
    for step in tried:
        link = links.pop(step.provider, None)
        yield replace(step, settings=tuple(_settings(view, link))) if link else step
    for name, link in links.items():
        yield Step(name, Outcome.NOT_TRIED, settings=tuple(_settings(view, link)))


def _settings_of_ours(view: View, provider: Provider) -> Iterator[Setting]:
    """Yield the options of a provider of this package that are set."""
    for option in provider.options():
        _, origin, problem = provider._resolution(option)
        if origin is None:
            continue
        key, is_text = str(origin.key(option)), origin.kind == PROFILE
        where = view.location(key, provider.scope.profile) if is_text else origin.kind
        shown = redact_option(
            option, origin.values[key], is_text=is_text, is_malformed=problem is not None
        )
        yield Setting(key, shown, where)


def _settings_of_profile(view: View, profile: str) -> Iterator[Setting]:
    """Yield the settings of a profile and of those that the credentials of its role come from."""
    rules = (RULES["assume-role"], *RULES.values())
    keys = dict.fromkeys(key for rule in rules for key in rule.keys)
    for name in source_profile_chain(view.profiles, profile):
        yield from view.settings(keys, profile=name)
        scope = ProfileScope(view.session, profile=name, environ=view.environ)
        rows = [row for row, _ in selecting_keys(scope.profile_values) if row.problem is None]
        ours = [row.load()().bind(scope) for row in rows]
        found = [one for provider in ours for one in _settings_of_ours(view, provider)]
        yield from (one for one in dict.fromkeys(found) if one.name not in keys)
