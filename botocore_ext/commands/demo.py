"""``botocore-ext demo``: resolve profiles of several kinds as any program would.

The command runs ``show`` in a process of its own, with a temporary directory and without the
caller's settings in the environment, so that neither affects the other. ``resolve`` is the part to
learn from.
"""

import argparse
import logging
import secrets
import site
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import botocore_ext

from ..system import Clock, system_environment
from .child import run_child
from .endpoint import serve

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

#: One line of the table, at most 80 columns.
LINE = "{:<8}  {:<28}  {:>7}  {:<24}  {:>4}"
HEADER = ("profile", "method", "expires", "identity", "ms")
#: The end of the demonstration.
NEXT = """
Try it with a profile of your own:
  import boto3, botocore_ext
  botocore_ext.install()
  boto3.Session(profile_name="mobile").client("sts").get_caller_identity()
"""

#: Variables that the process inherits from the caller, besides Python's.
_INHERITED = ("LANG", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")

#: Each profile with the method that its credentials must come from.
PROFILES = {
    "web": "custom-web-token",
    "identity": "custom-cognito-identity",
    "pool": "custom-cognito-identity-pool",
    "http": "custom-http",
    "chain": "custom-credential-chain",
    "role": "assume-role",
    "source": "assume-role",
}

#: A web identity, Cognito, an endpoint, a chain, and a role on top with either kind of source.
CONFIG = """\
[profile web]
web_identity_token = file://{token_file}
role_arn = arn:aws:iam::123456789012:role/web
role_session_name = demo
{everywhere}
[profile identity]
cognito_identity_id = {identity}
{everywhere}
[profile pool]
cognito_identity_pool_id = {pool}
{everywhere}
[profile http]
container_credentials_full_uri = {endpoint}
container_authorization_token_file = {token_file}
{everywhere}
[profile chain]
credential_chain = Environment, profile web
{everywhere}
[profile role]
role_arn = arn:aws:iam::123456789012:role/role
role_session_name = demo
source_profile = pool
{everywhere}
[profile source]
role_arn = arn:aws:iam::123456789012:role/source
role_session_name = demo
credential_source = CustomHttp
container_credentials_full_uri = {endpoint}
container_authorization_token_file = {token_file}
{everywhere}
"""
#: What each profile needs to reach the simulated AWS, where a bucket has no host name of its own.
EVERYWHERE = """\
region = us-east-1
endpoint_url = {aws}
s3 =
    addressing_style = path
"""

BUCKET = "botocore-ext-demo"
#: The role whose credentials the endpoint returns.
ENDPOINT_ROLE = "arn:aws:iam::123456789012:role/http"


# The command, and the process that it starts.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument that ``start`` passes to the process that shows the table."""
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run the demonstration and return the exit status."""
    return start() if arguments.directory is None else show(arguments.directory)


def start() -> int:
    """Run ``show`` in a process of its own and return its exit status."""
    with tempfile.TemporaryDirectory(prefix="botocore-ext-demo-") as directory:
        command = [sys.executable, "-W", "ignore", "-m", "botocore_ext", "demo"]
        return run_child([*command, "--directory", directory], _environment(Path(directory)))


def _environment(directory: Path) -> dict[str, str]:
    """Return an environment without the caller's AWS settings, proxies and home directory."""
    caller = system_environment()
    homes = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")
    return {
        **{key: caller[key] for key in caller if key.startswith("PYTHON") or key in _INHERITED},
        **dict.fromkeys(homes, str(directory)),
        "PYTHONUSERBASE": site.getuserbase(),  # finds packages installed with pip --user
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",  # east of it, credentials of moto's Cognito have expired
        "NO_PROXY": "127.0.0.1",  # macOS and Windows have proxies outside the environment
    }


# The table.


def show(directory: Path) -> int:
    """Print the table, and return 0, 1 if a row failed, or 2 without moto.

    ``AWS_CONFIG_FILE`` must name ``config`` in the directory.
    """
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - of the extra "demo"
    except ImportError:
        sys.stderr.write("the demonstration needs moto: run pip install 'moto[server]'\n")
        return 2
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it logs each request
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    botocore_ext.install()
    with services(moto, directory):
        status = report(PROFILES)
    sys.stdout.write(NEXT)
    return status


def report(profiles: Mapping[str, str]) -> int:
    """Print a row for each profile and its method, and return 0, or 1 if one failed."""
    sys.stdout.write(f"{LINE.format(*HEADER)}\n")
    status = 0
    for profile, method in profiles.items():
        try:
            row = LINE.format(*resolve(profile, method))
        except (BotoCoreError, ClientError) as error:
            row, status = f"{profile:<8}  {' '.join(str(error).split())}", 1
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()  # each row as it comes, in a pipe too
    return status


def resolve(profile: str, method: str) -> tuple[str, str, str, str, int]:
    """Make signed calls with the credentials of a profile, after ``botocore_ext.install()``.

    Returns the values under ``HEADER``: the identity is the end of the ARN, without partition and
    account, and the milliseconds are those of the first resolve and the signed calls.

    Raises:
        NotConfigured: The credentials came from another method.
        botocore.exceptions.BotoCoreError: The profile cannot be resolved.
        botocore.exceptions.ClientError: A service refused.
    """
    clock = Clock()
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
        msg = f"the credentials of this profile did not come from {method}"
        raise botocore_ext.NotConfigured(provider="demo", error_msg=msg)
    frozen = botocore_ext.FrozenCredentials.of(credentials)
    end = frozen.expiration
    expires = "never" if end is None else f"{end.timestamp() - clock.now():.0f} s"
    return profile, method, expires, returned.rpartition(":")[2], milliseconds


# The services: a simulated AWS, and an endpoint that returns credentials.


@contextmanager
def services(moto: "ThreadedMotoServer", directory: Path) -> Iterator[None]:
    """Run moto and an endpoint, and write their ``config`` and a token into ``directory``."""
    token_file = directory / "token"
    token_file.write_text(secrets.token_urlsafe(), encoding="utf-8")
    with _simulated_aws(moto) as aws:
        administrator = boto3.Session("administrator", "any secret", region_name="us-east-1")
        client = partial(administrator.client, endpoint_url=aws)
        client("s3").create_bucket(Bucket=BUCKET)
        pool, identity = _create_guest(client)
        role = client("sts").assume_role(RoleArn=ENDPOINT_ROLE, RoleSessionName="demo")
        credentials = botocore_ext.FrozenCredentials.from_sts(role)
        with serve(lambda: credentials, token_file.read_text("utf-8")) as endpoint:
            config = CONFIG.format(
                everywhere=EVERYWHERE.format(aws=aws),
                endpoint=endpoint,
                token_file=token_file,
                pool=pool,
                identity=identity,
            )
            (directory / "config").write_text(config, encoding="utf-8")
            yield


@contextmanager
def _simulated_aws(moto: "ThreadedMotoServer") -> Iterator[str]:
    """Run moto and yield its URL."""
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        moto.stop()


def _create_guest(client: Callable[..., Any]) -> tuple[str, str]:
    """Create an identity pool that admits guests and one guest; return both ids."""
    cognito = client("cognito-identity")
    pool = cognito.create_identity_pool(
        IdentityPoolName="demo", AllowUnauthenticatedIdentities=True
    )["IdentityPoolId"]
    return pool, cognito.get_id(IdentityPoolId=pool)["IdentityId"]
