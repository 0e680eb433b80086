"""What is measured in an interpreter of its own.

``python -m tests.tools.benchmarks.children NAME ...`` runs one.

Each function returns what can be written as JSON. Nothing is imported before it is measured.
"""
# ruff: noqa: PLC0415 - when something is imported is what is measured here

import gc
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median


def _since(start):
    return time.perf_counter() - start


def _install():
    import botocore_ext

    botocore_ext.install()


def imports():
    """Return the seconds of ``import boto3``, and of ``import botocore_ext`` with ``install()``."""
    start = time.perf_counter()
    import boto3  # noqa: F401 - this is what is measured

    theirs, start = _since(start), time.perf_counter()
    _install()
    return [theirs, _since(start)]


def resolves(profile, sessions):
    """Return the seconds until the keys are there, for each of some sessions of a profile.

    Without a profile, and where it has no web token, only until the credentials are found. The
    garbage of ``import boto3`` is collected first: it is chance whom a full collection meets, which
    takes as long as all the rest.
    """
    import boto3

    how, _, name = profile.partition("-")
    if how == "installed":
        _install()
    found = []
    for _ in range(int(sessions)):
        session = boto3.Session(profile_name=None if name == "none" else name)
        gc.collect()
        start = time.perf_counter()
        credentials = session.get_credentials()
        if name in ("plain", "ours"):
            credentials.get_frozen_credentials()
        found.append(_since(start))
    return found


def _resident():
    """Return the bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _sockets():
    return sum(one.is_socket() for one in Path("/proc/self/fd").iterdir())


def _web_token(number):
    from botocore_ext import from_web_token

    return from_web_token(
        role_arn="arn:aws:iam::123456789012:role/Web",
        web_identity_token=f"token-{number:06d}-" + "x" * 1000,
    )


def _provider(number):
    credentials = _web_token(number).load()
    credentials.get_frozen_credentials()
    return credentials


def _session(number):
    from botocore_ext import Session

    session = Session(credentials=_web_token(number))
    session.get_credentials().get_frozen_credentials()
    return session


def _boto3_session(number):
    import boto3

    return boto3.Session()


def _boto3_client(number):
    """By hand: a session and a client for each identity, and a call."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    session = boto3.Session()
    client = session.client("sts", config=Config(signature_version=UNSIGNED))
    client.assume_role_with_web_identity(
        RoleArn="arn:aws:iam::123456789012:role/Web",
        RoleSessionName="me",
        WebIdentityToken=f"token-{number:06d}-" + "x" * 1000,
    )
    return client


def identities(kind, count):
    """Return for so many identities: seconds and bytes of each, growth, and sockets.

    The growth is how much longer one of the second half takes than one of the first.
    """
    make = globals()[f"_{kind}"]
    kept = [make(number) for number in range(3)]  # what is paid once
    taken, before = [], _resident()
    for number in range(int(count)):
        start = time.perf_counter()
        kept.append(make(number))
        taken.append(_since(start))
    size, half = _resident() - before, len(taken) // 2
    growth = median(taken[half:]) / median(taken[:half] or taken)
    if kind == "provider":
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda credentials: credentials.refresh(), kept[:200]))
    return [median(taken), size / len(taken), growth, _sockets()]


def fleet(cache, ready, go):
    """Resolve a Cognito identity with a shared cache when ``go`` is there; return key and id."""
    from botocore_ext import from_cognito_identity_pool

    from .file_mapping import FileMapping

    credentials = from_cognito_identity_pool(
        identity_pool_id="us-east-1:00000000-0000-0000-0000-000000000000",
        user_identifier="one-user",
        cache=FileMapping(cache),
    ).load()
    (Path(ready) / str(os.getpid())).touch()
    while not Path(go).exists():
        time.sleep(0.005)
    return [credentials.get_frozen_credentials().access_key, credentials.identity_id]


if __name__ == "__main__":
    json.dump(globals()[sys.argv[1]](*sys.argv[2:]), sys.stdout)
