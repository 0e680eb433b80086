"""The soak (``python -m tests.tools.soak``) for a few hours instead of a day."""

import logging

import pytest

from . import fakes
from .tools import soak


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


def test_requests_fail_only_in_an_outage_and_its_wait():
    run = soak.Soak()
    run.clock = fakes.FakeClock()
    run.begin = begin = run.clock.time
    outages = soak.Outages([begin + 100], [begin + 200], ["nonsense"])
    identity = soak.Identity(0, 900, [outages])  # without credentials each request fails
    seen = []
    for now in (0, 150, 230, 300):
        run.clock.time = begin + now
        run._request(identity)
        seen.append((len(run.wrong), run.unserved, run.waited))
    assert seen == [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1)]


def test_outages_are_times():
    outages = soak.Outages([100.0], [200.0], ["nonsense"])
    assert [outages.fault(now) for now in (99, 100, 200, 201)] == [None, *["nonsense"] * 2, None]
    assert outages.fault(260, patience=60) == "nonsense"


def test_ideal_number_of_fetches():
    """At once, after the outage in which credentials were due, and 3300 seconds later."""
    outages = soak.Outages([3290.0], [3500.0], ["nonsense"])
    identity = soak.Identity(0, 3600, [outages])
    assert identity.ideal(0, 7200 // soak.STEP) == 3
    assert soak.Identity(0, 3600, [soak.Outages()]).ideal(0, 6600 // soak.STEP) == 2
