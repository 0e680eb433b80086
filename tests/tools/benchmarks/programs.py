"""What is measured, each in an interpreter of its own that uses the package as if installed.

``python -m benchmarks.programs NAME ARGUMENT...`` prints what a function returns, as JSON. Where a
function takes a profile, ``ours`` is retrieved by this package, and ``plain`` by botocore.
"""
# ruff: noqa: PLC0415 - when something is imported is part of what is measured

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROLE = "arn:aws:iam::123456789012:role/Web"
_MIB, _KIB = 1024**2, 1024


class Times(NamedTuple):
    """Seconds that one round took."""

    wall: float
    #: Processor time of the process, all its threads included.
    cpu: float


def clocked(work: Callable[[], Any], repeat: int = 1) -> Times:
    """Run ``work`` and return how long it took each time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        work()
    cpu = time.process_time() - cpu
    return Times((time.perf_counter() - wall) / repeat, cpu / repeat)


def by_turns(rounds: int, *works: Callable[[], Times]) -> list[list[Times]]:
    """Run ``works`` by turns, backwards every other round; return what each of them measured.

    Whatever else the machine does, and whatever one leaves in its caches, meets all of them alike.
    """
    found: list[list[Times]] = [[] for _ in works]
    for number in range(rounds):
        order = list(zip(works, found, strict=True))
        for work, results in order[:: -1 if number % 2 else 1]:
            results.append(work())
    return found


def _resident() -> int:
    """Return the bytes of this process in memory."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - imports nothing
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _resolve(profile: str, session: Any = None) -> None:
    import boto3

    session = (session or boto3.Session)(profile_name=profile)
    session.get_credentials().get_frozen_credentials()


def _install() -> None:
    import botocore_ext

    botocore_ext.install()


def _installed(work: Callable[[], Times]) -> Times:
    _install()
    try:
        return work()
    finally:
        sys.modules["botocore_ext"].uninstall()


def resolve(profile: str, sessions: int) -> dict[str, Any]:
    """Return the times of each import, and of sessions until their credentials are there."""

    def boto3() -> None:
        import boto3  # noqa: F401 - its time is what is measured

    found: dict[str, Any] = {"boto3": clocked(boto3)}
    if profile == "ours":
        found["install"] = clocked(_install)
    before = _resident()
    first = clocked(lambda: _resolve(profile))
    found["mib"] = (_resident() - before) / _MIB
    return found | {
        "sessions": [first, *(clocked(lambda: _resolve(profile)) for _ in range(sessions))]
    }


def later_sessions(rounds: int, *sizes: tuple[str, str]) -> list[list[Times]]:
    """Return the times of new sessions in a process that has had others, by turns.

    Args:
        rounds: How often.
        sizes: A configuration file, and what follows ``plain`` and ``ours`` in the names of its
            profiles. Two of the times returned are of each.
    """
    import botocore_ext

    def work(config: str, profile: str, session: Any = None) -> Callable[[], None]:
        def resolved() -> None:
            os.environ["AWS_CONFIG_FILE"] = config
            _resolve(profile, session)

        return resolved

    works = []
    for config, suffix in sizes:
        works += [work(config, f"plain{suffix}")]
        works += [work(config, f"ours{suffix}", botocore_ext.Session)]
    for one in works:
        one()
    return by_turns(rounds, *(lambda one=one: clocked(one) for one in works))


def refresh(rounds: int, pause: float) -> list[list[Times]]:
    """Return the times of refreshes in two sessions that last, each after a pause in seconds.

    In it, the end of a connection that the service has closed arrives.
    """
    import boto3

    import botocore_ext

    def refreshed(work: Callable[[], Any]) -> Times:
        time.sleep(pause)
        return clocked(work)

    plain = boto3.Session(profile_name="plain").get_credentials()
    ours = botocore_ext.Session(profile_name="ours").get_credentials()
    # The service gives credentials that are due, so that botocore refreshes at each use.
    works = (plain.get_frozen_credentials, ours.refresh)
    for work in works:
        work()
    return by_turns(rounds, *(lambda work=work: refreshed(work) for work in works))


def request(service: str, rounds: int) -> list[list[Times]]:
    """Return the times of signed requests that are answered before they are sent."""
    import boto3
    from botocore.awsrequest import AWSResponse

    import botocore_ext

    class Raw:
        def stream(self, **_: object) -> Any:
            yield b"<A><GetCallerIdentityResult><Arn>arn</Arn></GetCallerIdentityResult></A>"

    def client(session: Any) -> Callable[[], Any]:
        created = session.client(service)
        created.meta.events.register(
            "before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw())
        )
        if service == "sts":
            return created.get_caller_identity
        return lambda: created.head_object(Bucket="bucket", Key="key")

    calls = [
        client(boto3.Session(profile_name="static")),
        client(botocore_ext.Session(profile_name="ours")),
        client(boto3.Session(profile_name="plain")),
    ]
    for call in calls:
        call()
    return by_turns(rounds, *(lambda call=call: clocked(call, 5) for call in calls))


def valid(rounds: int) -> list[list[Times]]:
    """Return the times of ``get_frozen_credentials()`` while the credentials are valid."""
    import boto3

    import botocore_ext

    plain = boto3.Session(profile_name="plain").get_credentials().get_frozen_credentials
    ours = botocore_ext.Session(profile_name="ours").get_credentials().get_frozen_credentials
    for get in (plain, ours):
        get()
    return by_turns(rounds, lambda: clocked(plain, 200), lambda: clocked(ours, 200))


def inert(rounds: int) -> list[list[Times]]:
    """Return the times of sessions that use no setting of the package, with and without it.

    In turn: a new session, one that finds static credentials, and one that finds a role.
    """
    import boto3

    def new() -> Times:
        return clocked(boto3.Session)

    def found(profile: str) -> Times:
        session = boto3.Session(profile_name=profile)
        return clocked(session.get_credentials)

    works = [new, lambda: found("static"), lambda: found("role")]
    both = [work for plain in works for work in (plain, lambda plain=plain: _installed(plain))]
    for work in both:
        work()
    return by_turns(rounds, *both)


def _web_token(number: int) -> str:
    return f"token-{number:06d}-" + "x" * 1000


def _provider(number: int) -> Any:
    import botocore_ext

    return botocore_ext.from_web_token(role_arn=ROLE, web_identity_token=_web_token(number))


def _clients_by_hand() -> Callable[[int], Any]:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    sts = boto3.Session().client("sts", config=Config(signature_version=UNSIGNED))

    def client(number: int) -> Any:
        credentials = sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="me", WebIdentityToken=_web_token(number)
        )["Credentials"]
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        return session.client("s3")

    return client


def _clients_of_sessions() -> Callable[[int], Any]:
    from botocore_ext import Session

    def client(number: int) -> Any:
        session = Session(credentials=_provider(number))
        session.get_credentials().get_frozen_credentials()
        return session.client("s3")

    return client


def clients(whose: str, count: int) -> dict[str, Any]:
    """Return the times, and MiB each, of an S3 client for each of some identities."""
    make = {"plain": _clients_by_hand, "ours": _clients_of_sessions}[whose]()
    kept = [make(number) for number in range(3)]  # what is paid once
    before = _resident()
    times = [
        clocked(lambda number=number: kept.append(make(number))) for number in range(3, 3 + count)
    ]
    return {"times": times, "mib": (_resident() - before) / count / _MIB}


def identities(count: int, requests: int, threads: int) -> dict[str, Any] | None:
    """Return what identities through one client cost; None without ``per_request()``."""
    import random
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    import botocore_ext

    if not hasattr(botocore_ext, "per_request"):
        return None
    config = Config(max_pool_connections=threads)
    session = botocore_ext.Session(credentials=botocore_ext.per_request())
    sts = session.client("sts", config=config)
    plain = boto3.Session(profile_name="static").client("sts", config=config)

    def is_wrong(number: int, provider: Any) -> bool:
        with botocore_ext.use_credentials(provider):
            return not sts.get_caller_identity()["Arn"].endswith(f"ASIA{number:016d}")

    is_wrong(0, _provider(0))
    kept, before = [], _resident()

    def use(number: int) -> None:
        kept.append((number, _provider(number)))
        is_wrong(*kept[-1])

    times = [clocked(lambda number=number: use(number)) for number in range(1, count + 1)]
    kib = (_resident() - before) / count / _KIB
    wanted = random.choices(kept, k=requests)
    wrong: list[bool] = []
    with ThreadPoolExecutor(threads) as pool:
        taken, theirs = (
            clocked(lambda call=call: wrong.extend(pool.map(call, wanted)))
            for call in (lambda one: is_wrong(*one), lambda _: not plain.get_caller_identity())
        )
    rates = [requests / one.wall for one in (taken, theirs)]
    return {"times": times, "kib": kib, "rates": rates, "wrong": sum(wrong)}


def aio(rounds: int) -> dict[str, Any] | None:
    """Return the times of refreshes in an event loop, and its longest stall in each.

    None without aiobotocore.
    """
    import asyncio
    import selectors

    try:
        from aiobotocore.session import AioSession
    except ImportError:
        return None
    from botocore_ext.aio import AioSession as OurSession

    async def clocked_async(work: Callable[[], Any]) -> Times:
        wall, cpu = time.perf_counter(), time.process_time()
        await work()
        cpu = time.process_time() - cpu
        return Times(time.perf_counter() - wall, cpu)

    async def longest_stall(work: Callable[[], Any]) -> float:
        tick, longest, task = 0.0002, 0.0, asyncio.create_task(work())
        while not task.done():
            start = time.perf_counter()
            await asyncio.sleep(tick)
            longest = max(longest, time.perf_counter() - start - tick)
        return longest

    async def main() -> dict[str, Any]:
        plain = await AioSession(profile="plain").get_credentials()
        ours = await OurSession(profile="ours").get_credentials()
        works = {"plain": plain.get_frozen_credentials, "ours": ours.refresh}
        found: dict[str, Any] = {name: {"times": [], "stalls": []} for name in works}
        for number in range(-1, rounds):  # the first is not counted
            for name in list(works)[:: -1 if number % 2 else 1]:
                times, stall = await clocked_async(works[name]), await longest_stall(works[name])
                if number >= 0:
                    found[name]["times"].append(times)
                    found[name]["stalls"].append(stall)
        return found

    # Other selectors round a tick up to a millisecond, and would miss what stalls for less.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def links(rounds: int, *counts: int) -> list[list[Times]]:
    """Return the times of a chain of so many links, of which the last has credentials."""
    from botocore_ext import create_credential_chain

    def resolved(count: int) -> Any:
        empty = [lambda: None] * (count - 1)
        return create_credential_chain(*empty, _provider(0)).load().get_frozen_credentials()

    resolved(2)
    return by_turns(rounds, *(lambda n=n: clocked(lambda: resolved(n)) for n in counts))


def kept_sessions(count: int) -> list[list[list[Times]]]:
    """Return the times of the first and the last hundred of so many ``boto3.Session()``.

    Every other one is created after ``install()``. All of them stay in memory, in one process, so
    that the garbage collector interrupts both kinds alike.
    """
    import boto3

    kept = [boto3.Session()]

    def new() -> Times:
        return clocked(lambda: kept.append(boto3.Session()))

    times = by_turns(count // 2, new, lambda: _installed(new))
    return [[one[:50], one[-50:]] for one in times]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](*json.loads(sys.argv[2]))))
