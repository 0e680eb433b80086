"""Point 6: 64 threads at a cold start, and again when the keys are due."""

import threading
import time

from botocore_ext import Scope, from_web_token
from botocore_ext.system import Clock

from .measuring import ROLE, Figure
from .server import LIFETIME

TITLE = "Storm: 64 threads, a fetch of two seconds"
BOUND = (
    "One thread fetches; the others compare two numbers, and wait for the interpreter like "
    "any thread."
)
NEXT = "nothing: with 64 threads it is the interpreter that they wait for."

_THREADS = 64
#: Seconds that the refresh takes, and that the threads go on asking.
_DELAY, _WATCH = 2, 2.5


def _all(work):
    barrier = threading.Barrier(_THREADS)

    def wait_and_work():
        barrier.wait()
        work()

    threads = [threading.Thread(target=wait_and_work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(world):
    ahead = [0]
    clock = Clock(now=lambda: time.time() + ahead[0])
    token = (world.home / "token").read_text()
    provider = from_web_token(role_arn=ROLE, web_identity_token=token).bind(Scope(clock=clock))
    credentials = provider.load()
    delay, watch = _DELAY * world.effort, _WATCH * world.effort
    world.service.asked(delay=delay)
    _all(credentials.get_frozen_credentials)
    cold = world.service.asked()["AssumeRoleWithWebIdentity"]
    ahead[0] = LIFETIME - 299
    taken = []

    def ask():
        end = time.monotonic() + watch
        while time.monotonic() < end:
            start = time.perf_counter()
            credentials.get_frozen_credentials()
            taken.append(time.perf_counter() - start)
            time.sleep(0.002)

    _all(ask)
    due = world.service.asked(delay=0)["AssumeRoleWithWebIdentity"]
    taken.sort()
    return [
        Figure("fetches at the cold start", cold, goal=1, form="{:.0f}"),
        Figure("fetches at the five-minute mark", due, goal=1, form="{:.0f}"),
        Figure(
            "99.9th percentile during a refresh of two seconds",
            taken[int(len(taken) * 0.999)] * 1e3,
            form="{:.2f} ms",
            made_of=f"{len(taken)} calls, median {taken[len(taken) // 2] * 1e6:.0f} µs, "
            f"the one that refreshes {taken[-1]:.2f} s",
        ),
    ]
