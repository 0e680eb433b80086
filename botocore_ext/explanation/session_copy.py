"""A session like another one, so that looking into it leaves that one as it was."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import botocore.credentials
from botocore.credentials import CredentialProvider
from botocore.session import Session

from ..catalogue import INSERTED
from ..options.scope import ProfileScope, Scope
from ..profiles.inert import is_async
from ..providers.base import Provider
from ..providers.insertion import outer_region
from ..session.resolver import (
    COMPONENT,
    create_resolver,
    first_region,
    is_as_made,
    pending,
    plain_resolver,
)


def twin_of(session: Session) -> Session:
    """Return a synchronous session with the same settings and handlers, and nothing loaded."""
    is_new = is_async(session)  # the handlers of aiobotocore would have to be awaited
    events: Any = None if is_new else copy.copy(session.get_component("event_emitter"))
    twin = Session(event_hooks=events, include_builtin_handlers=is_new)
    for name, value in session.instance_variables().items():
        twin.set_config_variable(name, value)
    config: Any = session.get_default_client_config()
    twin.set_default_client_config(config)
    return twin


def asks_one_alone(session: Session) -> bool:
    """Whether ``session`` was made for one provider, without which it has nothing to ask."""
    own: Any = pending(session) or session.get_component(COMPONENT)
    return getattr(own, "only", None) is not None


def providers_of(session: Session, twin: Session) -> tuple[list[CredentialProvider], bool]:
    """Return what ``session`` asks for credentials, belonging to ``twin``; and whether ours may be.

    What others have put into its resolver is asked itself.
    """
    twin.register_component("data_loader", session.get_component("data_loader"))
    region, waiting = first_region(session), pending(session)
    if waiting is not None and waiting.theirs is None:
        made = create_resolver(twin, waiting.front, waiting.only, region)
        return _asked(made), True
    own: Any = session.get_component(COMPONENT)
    if is_as_made(own, session):
        # As before: it is made when it is needed, for the region of the first client.
        session.lazy_register_component(COMPONENT, partial(plain_resolver, session))
        theirs: Any = botocore.credentials.create_credential_resolver(twin, region_name=region)
        return list(theirs.providers), False
    asked = _asked(own)
    # Our resolvers know of one that is asked alone.
    ours = hasattr(own, "only") or INSERTED[0].method in [one.METHOD for one in asked]
    like: Any = (
        create_resolver(twin, (), None, region)
        if ours
        else botocore.credentials.create_credential_resolver(twin, region_name=region)
    )
    scope = Scope(twin, outer_region=outer_region(twin, region))
    return [_again(one, like.providers, scope) for one in asked], ours


def _asked(resolver: Any) -> list[CredentialProvider]:
    only = getattr(resolver, "only", None)
    found = list(getattr(resolver, "providers", ())) if only is None else [only]
    return list(map(_synchronous, found))


def _synchronous(one: CredentialProvider) -> CredentialProvider:
    """Return a provider of ours as it is in other sessions than those of aiobotocore."""
    held = getattr(one, "provider", None)
    return held if isinstance(held, CredentialProvider) else one


def _again(
    one: CredentialProvider, made: Sequence[CredentialProvider], scope: Scope
) -> CredentialProvider:
    """Return what stands for a provider of a resolver that is in use."""
    if isinstance(one, Provider) and not isinstance(one.scope, ProfileScope):
        return one.bind(scope)  # code gave it
    return next((other for other in made if other.METHOD == one.METHOD), one)
