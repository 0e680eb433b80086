"""Count how many of our functions and files run on the way to a signed request.

``python -m tests.tools.calls`` prints a table. The counts depend on the code alone, not on the
machine, and so show what a change costs before a benchmark does.
"""

import inspect
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import boto3

import botocore_ext
from tests import fakes

PACKAGE = str(Path(botocore_ext.__file__).parent) + os.sep


class Count(NamedTuple):
    """What one scenario ran of this package.

    Only named functions count: Python 3.12 and later run comprehensions within their function.
    """

    calls: int
    files: int


def counted(work: Callable[[], object]) -> Count:
    """Run ``work`` and count the calls of this package, in all threads."""
    calls: list[str] = []

    def profile(frame: Any, event: str, _: object) -> None:
        code = frame.f_code
        is_named = not code.co_name.startswith("<") and code.co_flags & inspect.CO_NEWLOCALS
        is_function = is_named and code.co_flags & inspect.CO_OPTIMIZED
        if event == "call" and is_function and code.co_filename.startswith(PACKAGE):
            calls.append(code.co_filename)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return Count(len(calls), len(set(calls)))


@contextmanager
def _world() -> Iterator[None]:
    aws = fakes.FakeAws()
    with tempfile.TemporaryDirectory() as place:
        token, config = Path(place) / "token", Path(place) / "config"
        token.write_text("token-of-web")
        config.write_text(
            "[profile web]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/Web\n"
            f"web_identity_token = file://{token}\n"
        )
        environment = {
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(config) + ".absent",
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with mock.patch.dict(os.environ, environment):
            yield
    aws.close()


def scenarios() -> dict[str, Count]:
    """Count a first signed request, a refresh and ``explain``, for a web token in a profile."""
    clients = []

    def first() -> None:
        clients.append(boto3.Session(profile_name="web").client("sts"))
        clients[0].get_caller_identity()

    with _world():
        botocore_ext.install()
        try:
            found = {"profile to signed request": counted(first)}
            credentials: Any = boto3.Session(profile_name="web").get_credentials()
            credentials.get_frozen_credentials()
            found["refresh"] = counted(credentials.refresh)
            session = boto3.Session(profile_name="web")
            found["explain"] = counted(lambda: botocore_ext.explain(session))
        finally:
            botocore_ext.uninstall()
    return found


if __name__ == "__main__":
    for scenario, count in scenarios().items():
        sys.stdout.write(f"{scenario:<28}{count.calls:>6} calls in {count.files:>3} files\n")
