"""The search through the credential provider chain: what happens to each provider."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from botocore.credentials import CredentialProvider, Credentials, ProfileProviderBuilder
from botocore.session import Session

from ..aws.frozen_credentials import FrozenCredentials
from ..catalogue import PROFILE as PROFILE_ROW
from ..catalogue import Row
from ..errors import Attempt, ConfigurationError, NotConfigured, ProviderError
from ..options.resolution import PROFILE
from ..options.scope import ProfileScope
from ..profiles.inert import BOTOCORES_SOURCES, is_role, source_profile_chain
from ..profiles.registry import profile_key, rows_of, source_of
from ..profiles.selection import STATIC_SETTINGS, reason_not_selected, role_source, selecting_keys
from ..providers.base import Provider
from ..providers.chain import CredentialChain, fetch_from
from ..providers.function import FunctionProvider
from ..providers.insertion import Unselected, inserted_providers
from ..runtime.context import Event, run_with_listener
from ..runtime.deadline import run_with_budget
from ..system import Clock
from .botocore_rules import CREDENTIAL_SETTINGS, RULES, Rule, role_with_ours
from .failures import check_settings, credentials_of, describe_error
from .report import Call, Found, Outcome, Setting, Step
from .session_copy import session_copy
from .values import host_of, redact, redact_option
from .view import View

T = TypeVar("T")

#: The rule of a third-party provider.
_UNKNOWN = Rule(is_guess=True)

#: The METHOD of the provider of a whole profile, whose module is loaded only if one is selected.
_OF_PROFILE = PROFILE_ROW.method


@dataclass
class Search:
    """Tries the providers of a chain as botocore would, and says what happened to each."""

    view: View
    clock: Clock
    #: Whether providers of this package may be part of the chain.
    has_ours: bool
    offline: bool
    #: The profiles that take their credentials from this one, outermost first.
    visited: tuple[str, ...] = ()
    found: Found | None = None
    #: The first configured provider: later ones are skipped.
    first: Step | None = None
    #: Whether it is certain that this one is configured, also if it was not tried.
    is_certain: bool = True

    def __post_init__(self) -> None:
        """Listen to the clients of the session."""
        self.recorder = _Recorder(self.view.session, self.clock.monotonic)

    def explicit_step(self, loaded: Credentials) -> Step:
        """Return the step of a session that was given its credentials in code."""
        name = str(loaded.method)
        account = getattr(loaded, "account_id", None)
        # Not get_frozen_credentials(), which would have to be awaited in aiobotocore.
        parts = (loaded.access_key, loaded.secret_key, loaded.token)
        given = zip((*CREDENTIAL_SETTINGS, "aws_account_id"), (*parts, account), strict=True)
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
                self._check(provider)
                links = tuple(_links(self.view, provider, ()))
                return Step(name, Outcome.NOT_TRIED, reason, links=links)
            fetch = partial(self._fetch, provider)
            credentials = self.recorder.record(rule.call(self.view), fetch)
        except Exception as error:  # noqa: BLE001 - whatever is raised is an outcome
            # A function that returned None: the search goes on.
            is_none = isinstance(provider, FunctionProvider) and isinstance(error, NotConfigured)
            outcome = Outcome.NOT_CONFIGURED if is_none else Outcome.FAILED
            reason = describe_error(self._cause(provider, error))
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
        """Return why the first configured provider is not tried; an empty text if it is."""
        if iscoroutinefunction(provider.load):
            return "only an event loop can await it"
        if rule is RULES["assume-role"]:
            chain = source_profile_chain(self.view.profiles, self.view.profile)
            if any("mfa_serial" in self.view.profiles[name] for name in chain):
                return "it needs an MFA code, which only a person can enter"
        return "offline" if self.offline and not rule.is_local else ""

    # What the settings alone show to be wrong, without a request or a program.

    def _cause(self, provider: CredentialProvider, error: Exception) -> Exception:
        """Return the error in the settings of a role that failed, if that is the cause."""
        if _rule_of(provider) is RULES["assume-role"]:
            try:
                self.check_role()
            except ProviderError as cause:
                return cause
        return error

    def _check(self, provider: CredentialProvider) -> None:
        """Check the settings of a provider, and of the profiles that it uses.

        Raises:
            ConfigurationError: It cannot work with these settings.
            NotConfigured: A profile that it uses has no credentials.
        """
        rule = _rule_of(provider)
        if isinstance(provider, Provider):
            provider.check()
        if isinstance(provider, CredentialChain):
            self._check_links(provider)
        elif isinstance(provider, Provider) and provider.METHOD == _OF_PROFILE:
            if provider.scope.profiles == self.view.profiles:  # else they are of other files
                self._check_profile(str(provider.scope.profile), is_source=False)
        elif rule is RULES["assume-role"]:
            self.check_role()
        else:
            check_settings(provider, self.view)

    def _check_links(self, provider: CredentialChain) -> None:
        """Check the first link of a chain that is configured."""
        reasons = []
        for name, link in provider._bound_links():
            if not isinstance(link, Provider):
                return  # only trying it shows whether it is configured
            try:
                if link.is_selected():
                    self._check(link)
                    return
                reason = link._not_configured().reason
            except NotConfigured as error:
                reason = error.reason
            reasons.append(f"{name}: {reason}")
        fact = f"no link of the chain is configured ({'; '.join(reasons)})"
        raise NotConfigured(provider=provider.METHOD, error_msg=fact)

    def check_role(self) -> None:
        """Check the role of the profile, and the source of its credentials."""
        view, visited = self.view, (*self.visited, self.view.profile)
        found = role_source(view.profile, view.profiles, visited)
        problem, row = found.problem, found.row
        if found.profile is not None:
            self._check_profile(found.profile, is_source=True)
        elif row is not None and problem is None:
            named = view.values["credential_source"]
            if not self.has_ours and named not in BOTOCORES_SOURCES:
                problem = f"has credential_source = {named}, which only botocore_ext has"
            elif row.source_of == "botocore":
                reason = RULES[row.method].reason_not_configured(view)
                problem = reason and f"has credential_source = {named}, but {reason}"
            else:
                self._check_source(row)
        if problem is not None:
            fact = f"profile '{view.profile}' of {view.config_file} {problem}"
            raise ConfigurationError(provider="assume-role", error_msg=fact)

    def _check_profile(self, name: str, *, is_source: bool) -> None:
        """Check a profile that this one takes its credentials from.

        If it is the source of a role, its static credentials come first.
        """
        session, visited = session_copy(self.view.session), (*self.visited, self.view.profile)
        session.set_config_variable("profile", name)
        has_ours = self.has_ours or not is_source
        inner = Search(View(session), self.clock, has_ours, offline=True, visited=visited)
        if inner.has_role(is_source=is_source):
            inner.check_role()
            return
        rows = [row.method for row, _ in selecting_keys(inner.view.values)]
        is_whole = _OF_PROFILE in rows
        if is_whole and len(rows) > 1:
            return  # any of them may have credentials
        if not is_source and name in self.visited:
            fact = f"the search for credentials depends on itself ({' -> '.join((*visited, name))})"
            raise ConfigurationError(provider="custom-profile", error_msg=fact)
        scope = ProfileScope(session, profile=name)
        ours = inserted_providers(scope) if has_ours and not is_whole else []
        theirs = ProfileProviderBuilder(session).providers(name, disable_env_vars=True)
        for provider in (*ours, *theirs):
            inner.step(provider)
        file, first = self.view.config_file, inner.first
        if first is None:
            fact = f"profile '{name}' of {file} has no credentials: add some, for example with "
            raise NotConfigured(provider="", error_msg=f"{fact}`aws configure --profile {name}`")
        if first.outcome is Outcome.FAILED:
            raise ConfigurationError(provider=first.provider, error_msg=first.reason)

    def has_role(self, *, is_source: bool) -> bool:
        """Whether the profile assumes a role; see ``_check_profile``."""
        values = self.view.values
        if not is_role(values) or (is_source and not STATIC_SETTINGS.isdisjoint(values)):
            return False
        is_of_ours = self.has_ours and not source_of(values) and any(selecting_keys(values))
        return not is_of_ours or bool(profile_key(values))

    def _check_source(self, row: Row) -> None:
        """Check the provider of this package that ``credential_source`` names."""
        scope = ProfileScope(self.view.session, profile=self.view.profile, source=row)
        scope.allows(row.method)  # raises if the profile contradicts itself
        source = row.load()().bind(scope)
        if not source.is_selected():
            raise source._missing(*(one for one in source.options() if one.selects))
        source.check()


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

        ``call`` is operation and host of one that a provider of botocore makes without a client.
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
_OURS = Rule()


def _rule_of(provider: CredentialProvider) -> Rule:
    """Return what is known of a provider."""
    if isinstance(provider, Provider):
        return _UNKNOWN if isinstance(provider, FunctionProvider) else _OURS
    return RULES.get(str(provider.METHOD), _UNKNOWN)


def _settings(view: View, provider: CredentialProvider) -> Iterator[Setting]:
    """Yield the settings and variables that configure a provider."""
    method = str(provider.METHOD)
    if isinstance(provider, Provider) and method == _OF_PROFILE:
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
        found = provider._resolution(option)
        origin = found.origin
        if origin is None:
            continue
        key, is_text = str(origin.key(option)), origin.kind == PROFILE
        profile = provider.scope.profile if is_text else None
        where = view.location(key, profile) if is_text else origin.kind
        shown = redact_option(
            option, origin.values[key], is_text=is_text, is_malformed=found.problem is not None
        )
        yield Setting(key, shown, where, profile)


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
