"""The soak (``python -m tests.soak``) for a few hours instead of a day."""

import logging

import pytest

from . import soak


@pytest.fixture
def _quiet(logs):
    """Searching some thousand records for some thousand secrets takes longer than the soak."""
    level = logging.getLogger().level
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
    logging.getLogger().setLevel(level)
    logs.clear()


@pytest.mark.usefixtures("_quiet")
def test_hours_with_faults():
    run = soak.Soak(hours=3, identities=8, seed=3).run()
    assert run.wrong == []
    assert abs(run.fetches - run.ideal) <= max(2, 0.01 * run.ideal)
    assert sum(one.failures for one in run.all) > 0  # the faults were met


def test_outages_are_times():
    outages = soak.Outages([100.0], [200.0], ["nonsense"])
    assert [outages.fault(now) for now in (99, 100, 200, 201)] == [None, *["nonsense"] * 2, None]
    assert outages.fault(260, patience=60) == "nonsense"


def test_the_ideal_fetches_when_keys_are_due_and_the_source_is_up():
    """At once, after the outage at the end of which keys were due, and 3300 seconds later."""
    outages = soak.Outages([3290.0], [3500.0], ["nonsense"])
    identity = soak.Identity(0, 3600, [outages])
    assert identity.ideal(0, 7200 // soak.STEP) == 3
    assert soak.Identity(0, 3600, [soak.Outages()]).ideal(0, 6600 // soak.STEP) == 2
