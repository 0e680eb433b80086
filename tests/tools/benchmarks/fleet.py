"""Point 7: processes that start together with a shared identity cache."""

import json
import subprocess
import sys
import time

from .measuring import ROOT, Figure

TITLE = "Fleet: 32 processes that start together with one identity cache"
BOUND = (
    "Processes that ask before the first answer is kept each ask for themselves: a mapping "
    "has no lock that holds across processes. A cache that is cut off is an id that is asked "
    "for again."
)
NEXT = (
    "a cache that can take a lock could make it one GetId; an id for the same logins is the "
    "same one anyway."
)

_PROCESSES = 32


def _start(world, cache, halfway=lambda: None):
    """Start the fleet; return what each process has, and how often GetId was called."""
    ready, go = world.home / "ready", world.home / "go"
    ready.mkdir()
    count = world.times(_PROCESSES)
    command = [sys.executable, "-m", f"{__package__}.children", "fleet", str(cache), str(ready)]
    processes = [
        subprocess.Popen([*command, str(go)], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    while len(list(ready.iterdir())) < count:
        time.sleep(0.01)
    go.touch()
    halfway()
    found = [json.loads(process.communicate()[0]) for process in processes]
    go.unlink()
    for one in ready.iterdir():
        one.unlink()
    ready.rmdir()
    return found, world.service.asked().get("GetId", 0)


def run(world):
    world.service.asked()
    cache = world.home / "identities.json"
    together, asked_together = _start(world, cache)
    later, asked_later = _start(world, cache)

    def truncate():
        whole = cache.read_bytes()
        cache.write_bytes(whole[: len(whole) // 2])

    truncated, asked_truncated = _start(world, cache, truncate)
    everybody = [*together, *later, *truncated]
    lost = sum(not key or not identity for key, identity in everybody)
    return [
        Figure(
            "GetId calls of 32 processes that start together",
            asked_together,
            goal=32,
            form="{:.0f}",
        ),
        Figure("GetId calls of 32 processes that start later", asked_later, goal=0, form="{:.0f}"),
        Figure(
            "GetId calls where the cache is truncated half-way",
            asked_truncated,
            goal=32,
            form="{:.0f}",
        ),
        Figure("processes without keys, in all", lost, goal=0, form="{:.0f}"),
    ]
