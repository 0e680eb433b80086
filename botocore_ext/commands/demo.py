"""The demonstration: one profile of each kind, resolved as any program would resolve it.

``botocore-ext demo`` calls ``start``. That runs ``show`` in a process of its own, with a
throw-away directory and an environment in which nothing of the caller's is left, so that neither
can reach the other. ``resolve`` is the part to learn from.
"""

import argparse
import logging
import site
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import botocore_ext

from ..system import Clock, system_environment
from .demo_services import BUCKET, PROFILES, services

#: One line of the table.
LINE = "{:<8}  {:<28}  {:<20}  {:>7}  {:<50}  {:>4}"
HEADER = ("profile", "method", "access key", "expires", "ARN", "ms")

#: Variables of the caller's that the process of its own gets, beside Python's.
_KEPT = ("LANG", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")


class Row(NamedTuple):
    """What came of a profile."""

    profile: str
    method: str
    #: Masked but for its last four characters.
    access_key: str
    #: Seconds from now; ``never`` for keys that do not expire.
    expires: str
    arn: str
    #: For the first resolve and the signed calls.
    milliseconds: int

    def __str__(self) -> str:
        """Show the values in columns."""
        return LINE.format(*self)


class FailedRow(NamedTuple):
    """Why nothing came of a profile."""

    profile: str
    error: Exception

    def __str__(self) -> str:
        """Show the error, on one line, in the place of the values."""
        return f"{self.profile:<8}  {' '.join(str(self.error).split())}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument that ``start`` passes: with it the demonstration runs here."""
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run the demonstration and return the exit status."""
    return start() if arguments.directory is None else show(arguments.directory)


def start() -> int:
    """Run ``show`` in a process of its own and return its exit status."""
    with tempfile.TemporaryDirectory(prefix="botocore-ext-demo-") as directory:
        command = [sys.executable, "-W", "ignore", "-m", "botocore_ext", "demo"]
        done = subprocess.run(  # noqa: S603 - this package, by this interpreter
            [*command, "--directory", directory],
            stdin=subprocess.DEVNULL,
            env=_environment(Path(directory)),
            check=False,
        )
    return done.returncode


def _environment(directory: Path) -> dict[str, str]:
    """Return an environment without the caller's AWS settings, proxies and home directory."""
    caller = system_environment()
    kept = {name: caller[name] for name in caller if name.startswith("PYTHON") or name in _KEPT}
    places = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")
    return {
        **kept,
        **dict.fromkeys(places, str(directory)),
        "PYTHONUSERBASE": site.getuserbase(),  # packages installed with pip --user stay in reach
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",  # macOS and Windows have proxies beside the environment's
    }


def show(directory: Path) -> int:
    """Print the table, and return 0, 1 if a row failed, or 2 without moto.

    Args:
        directory: Where the config is written; ``AWS_CONFIG_FILE`` must name ``config`` in it.
    """
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - of the extra "demo"
    except ImportError:
        sys.stderr.write("the demonstration needs moto: pip install 'botocore-ext[demo]'\n")
        return 2
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # below, a line for each request
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    botocore_ext.install()
    with services(moto, directory):
        return report(PROFILES)


def report(profiles: Mapping[str, str]) -> int:
    """Print a row for each profile, and return 0, or 1 if one failed.

    Args:
        profiles: Names, with the method that the keys of each must come by.
    """
    rows = [_attempt(profile, method) for profile, method in profiles.items()]
    for line in (LINE.format(*HEADER), *rows):
        sys.stdout.write(f"{line}\n")
    return int(any(isinstance(row, FailedRow) for row in rows))


def _attempt(profile: str, method: str) -> Row | FailedRow:
    try:
        return resolve(profile, method, Clock())
    except (BotoCoreError, ClientError) as error:
        return FailedRow(profile, error)


def resolve(profile: str, method: str, clock: Clock) -> Row:
    """Make signed calls with the keys of a profile, after ``botocore_ext.install()``.

    Raises:
        NotConfigured: The keys came by another method.
        botocore.exceptions.BotoCoreError: The profile cannot be resolved.
        botocore.exceptions.ClientError: A service refused.
    """
    began = clock.monotonic()
    session = boto3.Session(profile_name=profile)
    arn = session.client("sts").get_caller_identity()["Arn"]
    s3 = session.client("s3")
    s3.put_object(Bucket=BUCKET, Key=profile, Body=arn.encode())
    # What the row shows has been to S3 and back.
    returned = s3.get_object(Bucket=BUCKET, Key=profile)["Body"].read().decode()
    milliseconds = round(1000 * (clock.monotonic() - began))
    credentials = session.get_credentials()
    if credentials is None or credentials.method != method:
        msg = f"the keys of this profile did not come by {method}"
        raise botocore_ext.NotConfigured(provider="demo", error_msg=msg)
    keys = botocore_ext.FrozenCredentials.of(credentials)
    end = keys.expiration
    expires = "never" if end is None else f"{end.timestamp() - clock.now():.0f} s"
    return Row(profile, method, keys.masked(), expires, returned, milliseconds)
