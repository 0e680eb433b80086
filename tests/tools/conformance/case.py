"""``Case``: one vector of any suite, and ``Seen``: its outcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore_ext import Provider
from tests.fakes import Answer


@dataclass(frozen=True)
class Sent:
    """A request as it would have gone out."""

    method: str
    #: With the host that the ``Host`` header names, and without the default port.
    url: str
    #: Where it would have connected to.
    address: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


@dataclass
class Seen:
    """What one replay shows."""

    #: For each use: the credentials, the error, or what else the case is about.
    outcomes: list[Any]
    sent: list[Sent]
    #: The files afterwards, by path.
    files: dict[str, str]
    #: Of the user agent, as one letter or two each.
    features: set[str]
    #: The records at every level.
    log: str = field(repr=False)
    #: What the wire did not expect.
    complaints: list[str]


#: Answers a request, or says in the second value what is wrong with it.
Wire = Callable[[Sent, int], tuple[Answer, str]]


@dataclass(frozen=True, eq=False)
class Case:
    """One vector."""

    suite: str
    name: str
    #: The same for the same case of another SDK.
    key: str
    #: Says what of ``Seen`` is not as the vector has it.
    verdict: Callable[[Seen], list[str]]
    #: Ours that it is replayed through; the path is that of the case's root directory.
    factories: Mapping[str, Callable[[Path], Provider]] = field(default_factory=dict)
    #: Paths are those that the case knows, under its own root.
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    #: Arguments of ``botocore.session.Session`` and variables that are set on it.
    profile: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Created again for each replay, as it may count.
    wire: Callable[[], Wire] | None = None
    #: What a fake resolver answers; other names but ``localhost`` are not resolved.
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    now: float = 1_763_510_400.0
    uses: int = 1
    #: No secret of these may be in a log.
    secrets: Sequence[str] = ()
    #: What is looked at: see ``replay.ACTS``.
    act: str = "credentials"
    #: Why it cannot be replayed here; empty where it can.
    left_out: str = ""
    #: For acts that need more.
    data: Any = None

    def __str__(self) -> str:
        return f"{self.suite}: {self.name}"
