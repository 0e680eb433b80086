"""Point 1: ``get_frozen_credentials()`` while the keys are valid."""

import threading
from datetime import datetime, timedelta, timezone
from functools import partial

from botocore.credentials import RefreshableCredentials

from botocore_ext import from_web_token

from .measuring import ROLE, Figure, interleaved, seconds

TITLE = "`get_frozen_credentials()` while the keys are valid"
BOUND = (
    "One call of the clock, one comparison and a few attribute reads; botocore makes a "
    "`datetime` with a time zone and subtracts it, twice."
)
NEXT = "nothing; a call of the clock is a third of what is left."


def _calls(get, times, threads):
    """Return the seconds that one call takes where so many threads call."""
    barrier = threading.Barrier(threads + 1)

    def work():
        barrier.wait()
        for _ in range(times):
            get()
        barrier.wait()

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    barrier.wait()
    taken = seconds(barrier.wait)
    for thread in running:
        thread.join()
    return taken / times / threads


def run(world):
    until = datetime.now(timezone.utc) + timedelta(hours=3)
    plain = RefreshableCredentials("a", "b", "c", until, dict, "method")
    # A provider of a service: its keys have features, which go into the user agent at each use.
    ours = from_web_token(role_arn=ROLE, web_identity_token="token").load()
    ours.get_frozen_credentials()
    figures = []
    for threads in (1, 16):
        times = world.times(40_000) // threads
        theirs, mine = interleaved(
            world.times(15),
            partial(_calls, plain.get_frozen_credentials, times, threads),
            partial(_calls, ours.get_frozen_credentials, times, threads),
        )
        figures.append(
            Figure(
                f"valid keys, {threads} thread{'s' * (threads > 1)}, to botocore's",
                mine / theirs,
                form="{:.3f}",
                goal=0.05,
                made_of=f"{mine * 1e6:.2f} µs to {theirs * 1e6:.2f} µs",
            )
        )
    return figures
