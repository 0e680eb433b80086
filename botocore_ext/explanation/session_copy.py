"""A copy of a session, so that explaining it leaves the session unchanged."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import botocore.credentials
from botocore.credentials import CredentialProvider
from botocore.session import Session

from ..aws.sessions import session_like
from ..catalogue import CHAIN
from ..options.scope import ProfileScope, Scope
from ..providers.base import Provider
from ..providers.insertion import outer_region
from ..session.resolver import (
    COMPONENT,
    create_resolver,
    first_region,
    is_unchanged,
    plain_resolver,
    unused_registration,
)


def session_copy(session: Session) -> Session:
    """Return a synchronous session with the same settings and handlers, and nothing loaded."""
    copied = session_like(session, reread={})
    events: Any = copy.copy(copied.get_component("event_emitter"))
    copied.register_component("event_emitter", events)
    return copied


def has_only_one_provider(session: Session) -> bool:
    """Whether ``session`` takes its credentials from one provider alone."""
    own: Any = unused_registration(session) or session.get_component(COMPONENT)
    return getattr(own, "only", None) is not None


def providers_of(session: Session, copied: Session) -> tuple[list[CredentialProvider], bool]:
    """Return the chain of ``session``, and whether providers of this package may be part of it.

    The providers belong to ``copied``, except third-party ones, which stay those of the session.
    """
    copied.register_component("data_loader", session.get_component("data_loader"))
    region, unused = first_region(session), unused_registration(session)
    if unused is not None and unused.theirs is None:
        return _chain(create_resolver(copied, unused.front, unused.only, region)), True
    own: Any = session.get_component(COMPONENT)
    plain: Any = partial(
        botocore.credentials.create_credential_resolver, copied, region_name=region
    )
    if is_unchanged(own, session):
        # As before: it is created on first use, for the region of the first client.
        session.lazy_register_component(COMPONENT, partial(plain_resolver, session))
        return list(plain().providers), False
    chain = _chain(own)
    # The resolvers of this package know whether they use only one provider.
    has_ours = hasattr(own, "only") or CHAIN.method in [one.METHOD for one in chain]
    like: Any = create_resolver(copied, (), None, region) if has_ours else plain()
    scope = Scope(copied, outer_region=outer_region(copied, region))
    return [_counterpart(one, like.providers, scope) for one in chain], has_ours


def _chain(resolver: Any) -> list[CredentialProvider]:
    """Return the providers of a resolver; those of this package in their synchronous form."""
    only = getattr(resolver, "only", None)
    chain = list(getattr(resolver, "providers", ())) if only is None else [only]
    inner = [getattr(one, "provider", None) for one in chain]
    return [
        own if isinstance(own, CredentialProvider) else one
        for one, own in zip(chain, inner, strict=True)
    ]


def _counterpart(
    one: CredentialProvider, created: Sequence[CredentialProvider], scope: Scope
) -> CredentialProvider:
    """Return the provider of the copied session for one of a resolver that is in use."""
    if isinstance(one, Provider) and not isinstance(one.scope, ProfileScope):
        return one.bind(scope)  # it was built in code
    return next((other for other in created if other.METHOD == one.METHOD), one)
