"""A day of simulated time: many threads, many identities, and sources that fail at random.

    python -m tests.tools.soak [--hours 24] [--identities 32] [--threads 16] [--seed 1]

The clock is a fake one that moves in steps; at each step every thread uses the credentials of every
identity. The sources are on the loopback AWS: STS, Cognito, an HTTP endpoint, and chains of two
sources. Each has outages of its own, drawn beforehand, so that three things can be said for sure:

* a request is served without valid credentials only while no source can return them, or in the
  wait (a minute at most) after a fetch that failed because none could; both are counted;
* credentials are fetched as often as by a program that knows when each source is up, within 1 %;
* after the first quarter of the time nothing grows.

It ends with status 1 where one of them does not hold.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import sys
import threading
import time
import tracemalloc
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from botocore_ext import (
    Provider,
    ProviderCredentials,
    ProviderError,
    Scope,
    create_credential_chain,
    from_cognito_identity_pool,
    from_http,
    from_web_token,
)
from tests import fakes

#: Seconds that the clock moves at once.
STEP = 10
#: The longest wait after a failure once credentials have expired; see docs/refresh.md.
LONGEST_WAIT = 60
#: Seconds before expiry at which credentials are renewed; of short-lived ones at half their life.
WINDOW = 300
LIFETIMES = (900, 1800, 3600)
#: Bytes by which the heap may grow from the second quarter of the time to the last.
FLAT = 48 * 1024
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ROLE = "arn:aws:iam::123456789012:role/Soak"

_EXPIRED = '{{"AccessKeyId": "OLD", "SecretAccessKey": "s", "Expiration": "{}"}}'
#: What a source does while it is out. Of STS and Cognito a refusal is final, and raised at once.
FAULTS = {
    "an error of the service": lambda _: fakes.error("InternalFailure", 500),
    "too many requests": lambda _: fakes.error("Throttling", 429),
    "a token that has expired": lambda _: fakes.error("ExpiredTokenException"),
    "a refusal": lambda _: fakes.error("AccessDenied", 403),
    "no answer": lambda _: fakes.Answer(b"x" * 100, cut=0),
    "half an answer": lambda _: fakes.Answer(b'{"AccessKeyId": "AK', headers=_LONGER, cut=19),
    "nonsense": lambda _: fakes.Answer(b"<<<"),
    "keys that have expired": lambda aws: fakes.Answer(
        _EXPIRED.format(fakes.at(aws.now() - 9)).encode()
    ),
}
_LONGER = {"Content-Length": "50"}


@dataclass
class Outages:
    """When one source gives nothing, and what it does then."""

    begins: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def drawn(cls, chance: random.Random, begin: float, seconds: float) -> Outages:
        """Twelve a day: most of a few minutes, some longer than any credentials live."""
        outages, now = cls(), begin
        while True:
            now += chance.expovariate(12 / 86_400)
            if now >= begin + seconds:
                return outages
            outages.begins.append(now)
            now += chance.choice([30, 120, 300, 600, 5400]) * (0.5 + chance.random())
            outages.ends.append(now)
            outages.faults.append(chance.choice(list(FAULTS)))

    def fault(self, now: float, patience: float = 0) -> str | None:
        """The fault at this time, or within ``patience`` seconds before it; None: it is up."""
        place = bisect_right(self.begins, now) - 1
        is_out = place >= 0 and now <= self.ends[place] + patience
        return self.faults[place] if is_out else None


@dataclass
class Identity:
    """One provider in use, and what is known of its sources."""

    number: int
    lifetime: int
    #: Of each source: that of the second is asked where the first has nothing.
    sources: list[Outages]
    credentials: ProviderCredentials | None = None
    #: Access key -> when it expires.
    given: dict[str, float] = field(default_factory=dict)
    fetches: int = 0
    failures: int = 0

    def is_up(self, now: float) -> bool:
        """Whether a source can give credentials."""
        return any(source.fault(now) is None for source in self.sources)

    def was_out(self, now: float) -> bool:
        """Whether none could, at some time within the longest wait."""
        patience = LONGEST_WAIT + STEP
        return all(source.fault(now, patience) is not None for source in self.sources)

    def ideal(self, begin: float, steps: int) -> int:
        """Count the fetches of a program that always knows whether a source is up."""
        count, due = 0, begin
        for step in range(steps):
            now = begin + step * STEP
            if now >= due and self.is_up(now):
                count, due = count + 1, now + self.lifetime - min(WINDOW, self.lifetime / 2)
        return count


class SoakAws(fakes.FakeAws):
    """Returns credentials by the number in the token, or fails as is drawn for them."""

    def __init__(self, clock: fakes.FakeClock) -> None:
        super().__init__()
        self.now = lambda: clock.time
        #: The buffers of this side's connections are no memory of the package.
        self.keeps_alive = False
        self.identities_by_number: dict[str, Identity] = {}
        #: What all sources do meanwhile; None: what is drawn for each.
        self.everywhere: str | None = None
        #: How long credentials live is an attribute that all answers share.
        self._making = threading.Lock()
        for operation in ("AssumeRoleWithWebIdentity", "GetCredentialsForIdentity", "GET"):
            self.scripts[operation] = _Always(self.answer)

    def answer(self, request: fakes.Request) -> Any:
        """Answer one call."""
        parameters = request.parameters
        token = parameters.get("WebIdentityToken") or request.headers.get("Authorization")
        token = token or next(iter(parameters["Logins"].values()))
        _, number, source = token.split("-")
        identity = self.identities_by_number[number]
        fault = self.everywhere or identity.sources[int(source)].fault(self.now())
        if fault is not None:
            identity.failures += 1
            made = FAULTS[fault](self)
            return made(request) if callable(made) else made
        make = {"GET": self.endpoint, "AssumeRoleWithWebIdentity": self.sts}
        with self._making:
            self.lifetime = identity.lifetime
            made = make.get(request.operation, self.cognito)(request)
        identity.given[request.gave] = self.now() + identity.lifetime
        identity.fetches += 1
        return made


class _Always(list[Any]):
    """A script without an end."""

    def __init__(self, answer: Any) -> None:
        super().__init__([answer])

    def pop(self, _: Any = 0) -> Any:
        return self[0]


@dataclass
class Soak:
    """One run, and what it came to."""

    hours: float = 24
    identities: int = 32
    threads: int = 16
    seed: int = 1
    requests: int = 0
    #: Requests without valid credentials: while no source had any; in the wait after such a time.
    unserved: int = 0
    waited: int = 0
    #: What must not have happened.
    wrong: list[str] = field(default_factory=list)
    heap: list[int] = field(default_factory=list)

    def run(self) -> Soak:
        """Simulate the time."""
        self.clock = fakes.FakeClock()
        self.aws = SoakAws(self.clock)
        self.begin, self.steps = self.clock.time, int(self.hours * 3600 / STEP)
        chance = random.Random(self.seed)
        self.all = [self._identity(number, chance) for number in range(self.identities)]
        self._meet_every_fault()
        self.gate = threading.Barrier(self.threads + 1)
        threads = [threading.Thread(target=self._work, args=[n]) for n in range(self.threads)]
        for thread in threads:
            thread.start()
        for step in range(self.steps):
            self.gate.wait()  # all work
            self.gate.wait()  # all have ended
            self.clock.advance(STEP)
            self._clean(step)
        for thread in threads:
            thread.join()
        self.aws.close()
        return self

    def _identity(self, number: int, chance: random.Random) -> Identity:
        seconds, kind = self.hours * 3600, number % 4
        sources = [Outages.drawn(chance, self.begin, seconds) for _ in range(1 + (kind == 3))]
        identity = Identity(number, LIFETIMES[number % len(LIFETIMES)], sources)
        self.aws.identities_by_number[str(number)] = identity
        make = [self._web, self._pool, self._endpoint, self._chain][kind]
        scope = Scope(clock=_Patient(self.clock, chance))
        identity.credentials = make(number).bind(scope).load()
        return identity

    def _meet_every_fault(self) -> None:
        """Let every client meet every fault once, and begin: botocore makes much at first need.

        What it keeps then is not a leak, but it would come in the course of the day.
        """
        for fault in FAULTS:
            self.aws.everywhere = fault
            for identity in self.all:
                with suppress(ProviderError, ClientError, BotoCoreError):
                    identity.credentials.refresh()
                identity.credentials._start_with(None)
        self.aws.everywhere = None
        for identity in self.all:
            identity.failures = 0

    def _config(self) -> dict[str, Any]:
        # Longer than a busy machine may need: what fails here is what is drawn.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=20)
        return {"endpoint_url": self.aws.url, "region_name": "us-east-1", "config": config}

    def _web(self, number: int) -> Provider:
        return from_web_token(
            role_arn=ROLE, web_identity_token=f"token-{number}-0", client_config=self._config()
        )

    def _pool(self, number: int) -> Provider:
        return from_cognito_identity_pool(
            identity_pool_id=POOL, logins={"a": f"token-{number}-0"}, client_config=self._config()
        )

    def _endpoint(self, number: int, source: int = 0) -> Provider:
        return from_http(
            aws_container_credentials_full_uri=self.aws.url,
            aws_container_authorization_token=f"token-{number}-{source}",
            timeout=20,
            max_retries=0,
        )

    def _chain(self, number: int) -> Provider:
        """Two sources; the first is stepped over while it is out."""
        first, second = (self._endpoint(number, source).bind(Scope()) for source in range(2))

        def first_if_up() -> Any:
            identity = self.aws.identities_by_number[str(number)]
            return first.fetch() if identity.sources[0].fault(self.clock.time) is None else None

        return create_credential_chain(first_if_up, second)

    def _work(self, thread: int) -> None:
        order = self.all[thread:] + self.all[:thread]
        for _ in range(self.steps):
            self.gate.wait()
            for identity in order:
                self._request(identity)
            self.gate.wait()

    def _request(self, identity: Identity) -> None:
        now, found = self.clock.time, None
        try:
            found = identity.credentials.get_frozen_credentials().access_key
        except Exception as error:  # noqa: BLE001 - judged below
            found = f"{type(error).__name__}"
        self.requests += 1  # one or two may be lost: it is for information
        if identity.given.get(found, 0) > now:
            return
        if not identity.is_up(now):
            self.unserved += 1
        elif identity.was_out(now):
            self.waited += 1
        else:
            hours = (now - self.begin) / 3600
            self.wrong.append(f"identity {identity.number} after {hours:.3f} h: {found}")

    def _clean(self, step: int) -> None:
        """Forget what the fakes remember, and weigh what is left."""
        self.aws.requests.clear()
        fakes.SECRETS.clear()
        for identity in self.all:
            for old in list(identity.given)[:-2]:
                del identity.given[old]
        if tracemalloc.is_tracing() and step % max(1, self.steps // 48) == 0:
            for identity in self.all:
                _release(identity.credentials.last_error)
            gc.collect()
            self.heap.append(tracemalloc.get_traced_memory()[0])

    # What it came to.

    @property
    def fetches(self) -> int:
        return sum(one.fetches for one in self.all)

    @property
    def ideal(self) -> int:
        return sum(one.ideal(self.begin, self.steps) for one in self.all)

    @property
    def growth(self) -> int:
        """Bytes from the second quarter of the time to the last, by the least of each."""
        quarter = len(self.heap) // 4
        return min(self.heap[-quarter:]) - min(self.heap[quarter : 2 * quarter]) if quarter else 0

    def verdicts(self) -> dict[str, bool]:
        return {
            f"{len(self.wrong)} more without valid keys though a source could give them": not (
                self.wrong
            ),
            f"{self.fetches} fetches, {self.ideal} are ideal": (
                abs(self.fetches - self.ideal) <= 0.01 * self.ideal
            ),
            f"{self.growth / 1024:+.0f} KiB of memory in the last two quarters": self.growth
            <= FLAT,
        }


def _release(error: BaseException | None) -> None:
    """Let go of the frames that the last error of an outage holds until a fetch succeeds."""
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


class _Patient(fakes.Clock):
    """The clock of all, with chances of their own; who sleeps does not move it."""

    def __init__(self, clock: fakes.FakeClock, chance: random.Random) -> None:
        super().__init__(
            now=lambda: clock.time,
            monotonic=lambda: clock.steady,
            sleep=lambda _: None,
            random=chance.random,
        )


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.soak", description=__doc__)
    for name in ("hours", "identities", "threads", "seed"):
        default = getattr(Soak, name)
        parser.add_argument(f"--{name}", type=type(default), default=default)
    given = parser.parse_args(arguments)
    logging.disable()  # each outage is a warning
    tracemalloc.start()
    began = time.monotonic()
    soak = Soak(**vars(given)).run()
    tracemalloc.stop()
    sys.stdout.write(
        f"{soak.hours:g} hours in {time.monotonic() - began:.0f} s: {soak.requests} requests of "
        f"{soak.threads} threads for {soak.identities} identities; {soak.unserved} found no valid "
        f"keys because no source had any, {soak.waited} in the {LONGEST_WAIT} seconds after such a "
        f"time; {sum(one.failures for one in soak.all)} attempts failed\n"
    )
    verdicts = soak.verdicts()
    for text, is_right in verdicts.items():
        sys.stdout.write(f"{'ok' if is_right else 'WRONG'}: {text}\n")
    sys.stdout.write("".join(f"  {line}\n" for line in soak.wrong[:20]))
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
