"""Point 3: from a session to keys, the first time in a process and later."""

from functools import partial
from statistics import median

from .measuring import Figure, child, interleaved

TITLE = "First resolve of a profile, from `get_credentials()` to keys"
BOUND = (
    "The first in a process: parsing `endpoints.json` (14 ms on an idle machine), and importing "
    "this package with the one provider that the profile selects (some 20 ms). Later ones: "
    "making a client and its class. The garbage of `import boto3` is collected before; whom a "
    "full collection meets is chance, and it takes 25 ms."
)
NEXT = "what every provider imports, whichever it is: options, refresh, roles, some fifty modules."

_SESSIONS = 6


def run(world):
    later = {"plain-plain": [], "installed-ours": []}

    def resolve(name):
        first, *others = child("resolves", name, str(_SESSIONS))
        later[name].append(median(others))
        return first

    plain, ours = interleaved(world.times(15), *(partial(resolve, name) for name in later))
    plain_later, ours_later = map(median, later.values())
    return [
        Figure(
            "first resolve in a new process, to botocore's web-identity provider",
            ours / plain,
            goal=1.0,
            made_of=f"{ours * 1e3:.0f} ms to {plain * 1e3:.0f} ms",
        ),
        Figure(
            "resolve in the second and later sessions of a process",
            ours_later / plain_later,
            goal=0.25,
            made_of=f"{ours_later * 1e3:.1f} ms to {plain_later * 1e3:.1f} ms",
        ),
    ]
