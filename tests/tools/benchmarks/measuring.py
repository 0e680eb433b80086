"""How a figure is taken, and what a row of the table is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import Service

ROOT = Path(__file__).parent.parent.parent.parent
ROLE = "arn:aws:iam::123456789012:role/Web"


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, what was wanted, and what stands in the way of more."""

    what: str
    value: float
    #: How the value is shown.
    form: str = "{:.2f}"
    #: The most that is wanted; None for a figure that only stands beside another.
    goal: float | None = None
    #: The figures that the value was made of.
    made_of: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached; a figure without one always is."""
        return self.goal is None or self.value <= self.goal


@dataclass(frozen=True)
class World:
    """What every benchmark gets: a home with profiles, a service, and how hard to try."""

    home: Path
    service: Service
    #: 1 for figures; a small fraction to see only that everything runs.
    effort: float = 1

    def times(self, full: int) -> int:
        """Return how often to do what is to be done ``full`` times."""
        return max(1, round(full * self.effort))


def seconds(work: Callable[[], Any]) -> float:
    """Return how long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(rounds: int, *works: Callable[[], float]) -> list[float]:
    """Run ``works`` in turns, each of which returns what it measured; give their medians.

    In turns, and backwards every other time, so that whatever else the machine does hits all alike.
    """
    found: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        order = list(zip(works, found, strict=True))
        for work, results in order if number % 2 else order[::-1]:
            results.append(work())
    return [median(results) for results in found]


def child(what: str, *arguments: str) -> Any:
    """Run a function of ``children`` in a new interpreter and return what it returns."""
    command = [sys.executable, "-m", f"{__package__}.children", what, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@contextmanager
def world(home: Path, service: Service, effort: float):
    """Give a world in which no setting of the user's counts."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    token, config = home / "token", home / "config"
    token.write_text("token-" + "x" * 1000)
    config.write_text(
        f"[profile plain]\nregion = us-east-1\nrole_arn = {ROLE}\n"
        f"role_session_name = me\nweb_identity_token_file = {token}\n"
        f"[profile ours]\nregion = us-east-1\nrole_arn = {ROLE}\n"
        f"role_session_name = me\nweb_identity_token = file://{token}\n"
        "[profile static]\nregion = us-east-1\naws_access_key_id = A\naws_secret_access_key = s\n"
        f"[profile role]\nrole_arn = {ROLE}\nsource_profile = static\n"
    )
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ |= {
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": service.url,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        yield World(home, service, effort)
    finally:
        os.environ.clear()
        os.environ.update(before)
