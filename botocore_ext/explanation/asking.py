"""Walks a chain as botocore would, and says what each provider comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from inspect import iscoroutinefunction

from botocore.credentials import CredentialProvider, Credentials

from ..calls.budget import run_with_budget
from ..declaration.functions import FunctionProvider
from ..errors import NotConfigured, ProviderError
from ..keys import Keys
from ..outside import Clock
from ..provider import Provider
from ..resolving.bystanders import way_to_keys
from ..resolving.outcomes import keys_or_reason
from ..resolving.profiles import ProfileScope
from ..resolving.selection import Unselected
from .calls import Calls
from .failures import keys_of, said
from .reasons import is_written, role_of_ours, why_unselected
from .report import Found, Outcome, Setting, Step
from .rules import RULES, Rule
from .settings import settings_of_ours, settings_of_role
from .shown import shown
from .view import View

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
            keys = Keys(held.access_key, held.secret_key, held.token, account_id=account)
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
            why_not = self._why_not(provider)
        except ProviderError as error:  # a profile that contradicts itself: it says whose it is
            is_meant = error.kwargs["provider"] == name or is_written(self.view, name)
            why_not = None if is_meant else why_unselected(self.view, name)
            failure = error
        if why_not is not None:
            return Step(name, Outcome.NOT_CALLED_FOR, why_not)
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
            return why_unselected(self.view, method) if of_profile else provider.why_not()
        rule = RULES.get(method, _UNKNOWN)
        if rule is RULES["assume-role"] and self.is_ours:
            return role_of_ours(self.view)
        why_not = rule.why_not(self.view)
        if why_not is None and rule.is_local and self.first is not None:
            return self._nothing(provider, rule)
        return why_not

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

    def _obtained(self, provider: CredentialProvider) -> Keys | None:
        if not isinstance(provider, Provider):
            return keys_of(provider, self.view)
        return run_with_budget(self.clock.monotonic, partial(keys_or_reason, provider))

    def _postponed(self, provider: CredentialProvider, rule: Rule) -> str:
        """Say why a provider is not asked though it is its turn; nothing if it is.

        Raises:
            ConfigurationError: An option of one of ours is missing or malformed.
        """
        if iscoroutinefunction(provider.load):
            return "not asked: only an event loop can wait for it"
        if rule is RULES["assume-role"]:
            way = way_to_keys(self.view.profiles, self.view.profile)
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
