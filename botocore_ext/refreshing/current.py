"""``Current``: what a refresher has in force, as one value that is replaced as a whole."""

import os
from dataclasses import dataclass, field

from botocore.credentials import ReadOnlyCredentials

from .refresh import Window, advisory_window
from .state import PAST, Moment, State

#: Access keys that are remembered as ours: a request may be under way longer than its keys are.
_SERVED = 16


_NOTHING = ReadOnlyCredentials("", "", None)


@dataclass(frozen=True)
class Current:
    """What is in force; replaced as a whole, so that a reader never sees half of it."""

    state: State = field(default_factory=State)
    #: Until then there is nothing to decide.
    fresh_until: Moment = PAST
    #: Grows with each invalidation that a fetch begun before it must not undo.
    epoch: int = 0
    #: Grows when the token is replaced: what belongs to the one before is never used again.
    identity: int = 0
    pid: int = field(default_factory=os.getpid)
    #: The keys to serve, as botocore signs with them; empty ones before the first fetch.
    frozen: ReadOnlyCredentials = _NOTHING
    #: The access keys in force until now, the newest first; those of another token are forgotten.
    served: tuple[str, ...] = ()
    #: Of the keys (see ``Keys.features``).
    features: tuple[str, ...] = ()

    def followed_by(self, state: State, epoch: int, window: Window) -> "Current":
        """Return what is in force once ``state`` is."""
        if state.keys is None:
            return Current(state, epoch=epoch, identity=self.identity)
        fresh_until, served = PAST, self.served
        if not state.invalidated:
            fresh_until = state.expires.after(-advisory_window(state.lifetime, window))
        if state.keys.access_key not in served:
            served = (state.keys.access_key, *served[: _SERVED - 1])
        frozen = ReadOnlyCredentials(*state.keys.parts())
        features = state.keys.features
        pid, identity = os.getpid(), self.identity
        return Current(state, fresh_until, epoch, identity, pid, frozen, served, features)
