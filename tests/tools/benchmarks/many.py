"""Point 5: a thousand identities in one process."""

from .measuring import Figure, child

TITLE = "A thousand identities in one process"
BOUND = (
    "For a provider without a session: one call to STS by a client that all share (rule: "
    "unsigned, nothing of an identity in it), and some 8 KiB of provider, locks, token and "
    "keys. For a session each: `boto3.Session()` itself, and a client for each session; what "
    "is shared between sessions is only what botocore's loader read."
)
NEXT = (
    "a client for each session costs more than all the rest of it: botocore builds its class, "
    "its event handlers and a TLS context anew."
)

_MIB, _KIB = 1024**2, 1024


def run(world):
    count = world.times(1000)
    each, size, growth, sockets = child("identities", "provider", str(count))
    figures = [
        Figure("milliseconds for each", each * 1e3, goal=3),
        Figure("KiB for each", size / _KIB, goal=60, form="{:.0f}"),
        Figure("one of the second half, to one of the first", growth, goal=1.2),
        Figure("sockets after 16 threads refreshed 200 of them", sockets, goal=16, form="{:.0f}"),
    ]
    for kind, what in (
        ("session", "`Session(credentials=...)` each"),
        ("boto3_session", "of which `boto3.Session()` alone"),
        ("boto3_client", "by hand: a boto3 session, client and call each"),
    ):
        each, size, _, _ = child("identities", kind, str(world.times(40)))
        made_of = f"{each * 1e3:.1f} ms and {size / _MIB:.2f} MiB"
        figures.append(Figure(what, each * 1e3, form="{:.1f} ms", made_of=made_of))
    return figures
