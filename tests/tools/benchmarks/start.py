"""Point 4: what those pay who use nothing of this package."""

import os
from functools import partial
from statistics import median

import boto3

import botocore_ext

from .measuring import Figure, child, interleaved, seconds

TITLE = "Sessions that use none of our keys"
BOUND = (
    "Nothing of ours is imported or built where every key of the profile is AWS's own, for a role "
    "also those of each profile on its way; left are a look at these keys, one walk for all "
    "threads, and for a role a provider that can be loaded more than once: some 25 µs in all, and "
    "2 ms of importing and `install()` at the start."
)
NEXT = "nothing: the noise of a busy machine is more than what is left."

_SHAPES = {"nothing": "none", "static keys": "static", "a role": "role"}


def _installed(work):
    botocore_ext.install()
    try:
        return work()
    finally:
        botocore_ext.uninstall()


def _session():
    return seconds(boto3.Session)


def _resolve(profile):
    session = boto3.Session(profile_name=profile)
    return seconds(session.get_credentials)


def _environment():
    os.environ |= {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}
    try:
        return _resolve(None)
    finally:
        del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def _to_plain(world, what, rounds, work):
    plain, ours = interleaved(world.times(rounds), work, partial(_installed, work))
    made_of = f"{ours * 1e3:.3f} ms to {plain * 1e3:.3f} ms"
    return Figure(what, ours / plain, form="{:.3f}", goal=1.05, made_of=made_of)


def _import(world):
    found = [child("imports") for _ in range(world.times(21))]
    boto, ours = median(theirs for theirs, _ in found), median(mine for _, mine in found)
    made_of = f"{ours * 1e3:.1f} ms to {boto * 1e3:.0f} ms"
    return Figure(
        "import and `install()`, to `import boto3`",
        ours / boto,
        goal=0.05,
        form="{:.3f}",
        made_of=made_of,
    )


def _first(world, shape):
    def resolve(prefix):
        return child("resolves", prefix + shape, "1")[0]

    works = (partial(resolve, prefix) for prefix in ("plain-", "installed-"))
    plain, ours = interleaved(world.times(21), *works)
    made_of = f"{ours * 1e3:.2f} ms to {plain * 1e3:.2f} ms"
    return Figure(
        f"first resolution in a new process, {shape}",
        ours / plain,
        form="{:.3f}",
        goal=1.05,
        made_of=made_of,
    )


def run(world):
    _installed(partial(_resolve, "role"))  # what is imported once
    return [
        _import(world),
        _to_plain(world, "`boto3.Session()` with `install()`, to without", 300, _session),
        *(
            _to_plain(world, f"resolution, {what}", 300, partial(_resolve, profile))
            for what, profile in (("nothing", None), ("static keys", "static"), ("a role", "role"))
        ),
        _to_plain(world, "resolution, environment", 300, _environment),
        *(_first(world, shape) for shape in ("none", "static", "role")),
    ]
