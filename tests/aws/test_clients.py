"""What inner clients share, and what stays the session's own."""

import copy

import botocore.session
import pytest
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.utils import EVENT_ALIASES

from botocore_ext import Session, from_web_token
from botocore_ext.aws.clients import InnerEvents, inner_events
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"


def test_names_of_events_are_aliases_as_in_botocore():
    shared = inner_events(EventAliaser(HierarchicalEmitter()))
    assert type(shared) is InnerEvents
    for events in (EventAliaser(HierarchicalEmitter()), shared, copy.copy(shared)):
        for old, new in EVENT_ALIASES.items():
            events.register(f"before-sign.{old}.GetObject", lambda name=new, **_: name)
            called = events.emit(f"before-sign.{new}.GetObject")
            assert new in [answer for _, answer in called], (type(events), old)
    assert vars(copy.copy(shared))["_alias_name_cache"] is vars(shared)["_alias_name_cache"]


class Emitter(EventAliaser):
    """A class of a user."""


@pytest.mark.parametrize(
    "changed", [{"_event_aliases": {"sts": "other"}}, {"_new": 1}, {"__class__": Emitter}]
)
def test_events_that_are_not_as_botocore_creates_them_are_used(changed):
    events = EventAliaser(HierarchicalEmitter())
    for name, value in changed.items():
        setattr(events, name, value)
    assert inner_events(events) is events


def test_handlers_of_an_inner_client_are_its_own(aws):
    """Those of the session are called too, as they are when the client is created."""
    session, called = botocore.session.Session(), []
    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    session.register("before-call.sts", lambda **_: called.append("before"))
    found = Session(credentials=provider, botocore_session=session).get_credentials()
    assert found.get_frozen_credentials().access_key
    session.register("before-call.sts", lambda **_: called.append("after"))
    found.refresh()
    assert called == ["before", "before"]
    answers = session.get_component("event_emitter").emit("needs-retry.sts", response=None)
    assert "handle_answer" not in [handler.__name__ for handler, _ in answers]
