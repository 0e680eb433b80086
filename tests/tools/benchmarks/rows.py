"""What is measured, in the order of the page: one function for each name of ``--rows``.

A function gives figures, or a text that says what it could not measure and why.
"""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from .figures import CPU, WALL, Amount, Comparison, Growth
from .measuring import DUE, LIFETIME, World
from .programs import by_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_IMPORT = "import boto3\n"
_INSTALL = "import botocore_ext\nbotocore_ext.install()\n"
_CREDENTIALS = "boto3.Session(profile_name={!r}).get_credentials().get_frozen_credentials()\n"


def process(world: World) -> Iterator[Comparison]:
    """Measure whole programs from start to exit; nothing in them helps."""
    programs = {
        "nothing": _IMPORT,
        "plain": _IMPORT + _CREDENTIALS.format("plain"),
        "ours": _IMPORT + _INSTALL + _CREDENTIALS.format("ours"),
    }
    for name, text in programs.items():
        (world.home / "site" / f"{name}.py").write_text(text)
    runs = [partial(world.clocked, f"{name}.py") for name in programs]
    common, theirs, ours = by_turns(world.times(30), *runs)
    yield Comparison(
        "Whole program, less `import boto3`, TLS",
        ours,
        theirs,
        0.60,
        "`boto3.Session()`, the modules that are imported, reading the CA bundle once",
        common,
    )


def resolve(world: World) -> Iterator[Comparison | Amount]:
    """Measure processes in which sessions retrieve credentials one after another."""
    for scheme, goals in {"tls": (0.60, 0.20), "http": (0.70, 0.25)}.items():
        run = partial(world.child, "resolve", scheme=scheme)
        theirs, ours = by_turns(
            world.times(20),
            *(partial(run, profile, world.times(4)) for profile in ("plain", "ours")),
        )
        yield Comparison(
            f"First credentials in a process, {scheme.upper()}",
            [one["sessions"][0] for one in ours],
            [one["sessions"][0] for one in theirs],
            goals[0],
            "`boto3.Session()`, the modules that are imported, making a client",
        )
        yield Comparison(
            f"Credentials of a second session, {scheme.upper()}",
            [times for one in ours for times in one["sessions"][1:]],
            [times for one in theirs for times in one["sessions"][1:]],
            goals[1],
            "`boto3.Session()`: half of it",
        )
    yield _memory(
        "Memory of the first credentials", ours, theirs, 5.5, "botocore's data, the modules"
    )
    yield Comparison(
        "`import botocore_ext` and `install()`, to `import boto3`",
        [one["install"] for one in ours],
        [one["boto3"] for one in ours],
        0.03,
        "a few modules; a provider is imported when a profile selects it",
    )


def _memory(what: str, ours: Any, theirs: Any, goal: float, bound: str) -> Amount:
    mine, their = (median(one["mib"] for one in found) for found in (ours, theirs))
    return Amount(what, mine, "MiB", goal, bound, f" against {their:.1f} MiB")


def refresh(world: World) -> Iterator[Comparison]:
    """Measure refreshes in a process that lasts."""
    call = "botocore's own call of STS: endpoint rules, serializing, urllib3, parsing XML"
    for scheme, keeps_connections, goal, bound in (
        ("tls", False, 0.12, "a TLS handshake and one call of STS"),
        ("tls", True, 0.06, call),
        ("http", True, 0.30, call),
    ):
        rounds = world.times(100)
        world.service.set(lifetime=DUE, keeps_connections=keeps_connections)
        pause = 0 if keeps_connections else 0.002
        theirs, ours = world.child("refresh", rounds, pause, scheme=scheme)
        calls = world.service.set(lifetime=LIFETIME, keeps_connections=True)
        assert calls == {"AssumeRoleWithWebIdentity": 2 * rounds + 2}, calls
        connection = "open" if keeps_connections else "closed since the last one"
        yield Comparison(
            f"Refresh, connection {connection}, {scheme.upper()}", ours, theirs, goal, bound
        )


def requests(world: World) -> Iterator[Comparison]:
    """Measure what credentials of this package cost in each signed request."""
    for service, goal in (("sts", 1.03), ("s3", 1.025)):
        static, ours, plain = world.child("request", service, world.times(500))
        theirs = Comparison("", plain, static, 0, "").ratio()
        yield Comparison(
            f"Signed {service.upper()} request, to static credentials",
            ours,
            static,
            goal,
            f"a look at each answer; botocore's own refreshable credentials take {theirs:.3f}",
        )
    theirs, ours = world.child("valid", world.times(300))
    yield Comparison(
        "`get_frozen_credentials()`, credentials still valid",
        ours,
        theirs,
        0.05,
        "two calls of the clock, and the feature for the user agent",
    )


def identities(world: World) -> Iterator[Comparison | Amount | str]:
    """Measure many identities in one process."""
    runs = (partial(world.child, "clients", whose, world.times(20)) for whose in ("plain", "ours"))
    theirs, ours = by_turns(world.times(3), *runs)
    yield Comparison(
        "Session and S3 client for an identity, to by hand",
        [times for one in ours for times in one["times"]],
        [times for one in theirs for times in one["times"]],
        0.30,
        "`boto3.Session()`, and a client with its event handlers",
    )
    yield _memory("Memory of each", ours, theirs, 0.6, "the client; botocore's data is shared")
    many = "1,000 identities through one client"
    found = world.child("identities", world.times(1000), world.times(10_000), 16)
    if found is None:
        yield f"{many} (this version has no `per_request()`)"
        return
    each, cpu = (median(times[clock] for times in found["times"]) * 1e3 for clock in (WALL, CPU))
    call = "one call of STS for the credentials, and the request itself"
    lock = "the interpreter lock: one thread at a time runs Python"
    note = f", {cpu:.1f} ms of it processor time"
    yield Amount(f"{many}, each with a request", each, "ms", 3, call, note)
    yield Amount("Memory of each identity", found["kib"], "KiB", 12, "provider, locks, credentials")
    rate, their_rate = found["rates"]
    note = f" against {their_rate:.0f} of one identity"
    what = "Their requests, from 16 threads"
    yield Amount(what, rate, "a second", 1000, lock, note, is_least=True)
    yield Amount("Requests that another identity signed", found["wrong"], "", 0, "")


def aio(world: World) -> Iterator[Comparison | Amount | str]:
    """Measure a refresh in an event loop, and how long it stops the loop."""
    what = "Refresh with aiobotocore, TLS"
    world.service.set(lifetime=DUE)
    found = world.child("aio", world.times(40), scheme="tls", python=world.aio)
    world.service.set(lifetime=LIFETIME)
    if found is None:
        yield f"{what} (aiobotocore is not installed)"
        return
    ours, theirs = found["ours"], found["plain"]
    yield Comparison(what, ours["times"], theirs["times"], 0.10, "one call of STS in a thread")
    stall, their_stall = (median(one["stalls"]) * 1e3 for one in (ours, theirs))
    yield Amount(
        "Longest stall of the event loop during it",
        stall,
        "ms",
        1.0,
        "the interpreter lock, which the thread of the refresh takes",
        f" against {their_stall:.1f} ms",
    )


def inert(world: World) -> Iterator[Comparison]:
    """Measure sessions that use none of our settings."""
    found = world.child("inert", world.times(300))
    shapes = ("New session", "Static credentials found", "Role found")
    for name, theirs, ours in zip(shapes, found[::2], found[1::2], strict=True):
        what = f"{name}, `install()` with none of our settings"
        yield Comparison(what, ours, theirs, 1.05, "a look at the settings of the profile")


def growth(world: World) -> Iterator[Growth]:
    """Measure small and large configurations."""

    def grown(what: str, rounds: int, *sizes: tuple[str, str]) -> Growth:
        found = world.child("later_sessions", world.times(rounds), *sizes)
        times = [_cpu(one) for one in found]
        return Growth(what, times[1::2], times[::2])

    files = [(world.config(profiles=number), "") for number in (10, 1000)]
    yield grown("a profile among 10 and among 1,000", 30, *files)
    few, many = 5, max(5, world.times(100))
    config = world.config(roles=many)
    profiles = [(config, f"-{number}") for number in (few, many)]
    yield grown("5 and 100 roles, each the source of the next", 8, *profiles)
    found = world.child("links", world.times(15), 2, 400)
    yield Growth("2 and 400 links of a chain", [_cpu(times) for times in found], ())
    theirs, ours = (
        [_cpu(times, median) for times in kind]
        for kind in world.child("kept_sessions", max(2, world.times(3000)))
    )
    yield Growth("each of the first and of the last 100 of 3,000 sessions", ours, theirs)


def _cpu(times: Sequence[Sequence[float]], statistic: Callable[[Any], float] = min) -> float:
    return statistic([one[CPU] for one in times])


ROWS = {
    one.__name__: one
    for one in (process, resolve, refresh, requests, identities, aio, inert, growth)
}
