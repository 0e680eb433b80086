"""What the demonstration talks to: a simulated AWS, an endpoint that gives keys, and a config."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

#: Each profile with the method that its keys must come by.
PROFILES = {
    "web": "custom-web-token",
    "identity": "custom-cognito-identity",
    "pool": "custom-cognito-identity-pool",
    "http": "custom-http",
    "chain": "custom-credential-chain",
    "role": "assume-role",
    "source": "assume-role",
}

#: One profile of each kind, a chain, and a role on top by either way.
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
container_credentials_full_uri = {endpoint}/keys
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
container_credentials_full_uri = {endpoint}/keys
container_authorization_token_file = {token_file}
{everywhere}
"""
#: What each of them needs to reach the simulated AWS, where a bucket has no host name of its own.
EVERYWHERE = """\
region = us-east-1
endpoint_url = {aws}
s3 =
    addressing_style = path
"""

BUCKET = "botocore-ext-demo"
#: The role whose keys the endpoint gives.
ENDPOINT_ROLE = "arn:aws:iam::123456789012:role/http"


@contextmanager
def services(moto: "ThreadedMotoServer", directory: Path) -> Iterator[None]:
    """Run moto and an endpoint, and write their ``config`` and a token into ``directory``."""
    token_file = directory / "token"
    token_file.write_text(secrets.token_urlsafe(), encoding="utf-8")
    with _simulated_aws(moto) as aws:
        administrator = boto3.Session("administrator", "any secret", region_name="us-east-1")
        client = partial(administrator.client, endpoint_url=aws)
        client("s3").create_bucket(Bucket=BUCKET)
        pool, identity = _guest(client)
        role = client("sts").assume_role(RoleArn=ENDPOINT_ROLE, RoleSessionName="demo")
        with _serving(_endpoint(token_file.read_text("utf-8"), role["Credentials"])) as endpoint:
            ids = {"pool": pool, "identity": identity}
            config = _config(aws, endpoint=endpoint, token_file=token_file, **ids)
            (directory / "config").write_text(config, encoding="utf-8")
            yield


@contextmanager
def _simulated_aws(moto: "ThreadedMotoServer") -> Iterator[str]:
    """Run moto, and give its URL."""
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        moto.stop()


def _guest(client: Callable[..., Any]) -> tuple[str, str]:
    """Create an identity pool that admits guests, and one guest."""
    cognito = client("cognito-identity")
    pool = cognito.create_identity_pool(
        IdentityPoolName="demo", AllowUnauthenticatedIdentities=True
    )["IdentityPoolId"]
    return pool, cognito.get_id(IdentityPoolId=pool)["IdentityId"]


def _endpoint(token: str, keys: Mapping[str, Any]) -> HTTPServer:
    """Return what gives ``keys`` to whoever sends ``token``, as the agents of containers do."""
    answer = {
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretAccessKey"],
        "Token": keys["SessionToken"],
        "Expiration": keys["Expiration"].isoformat(),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == token
            # Unlike send_response, it logs nothing.
            self.send_response_only(HTTPStatus.OK if known else HTTPStatus.UNAUTHORIZED)
            self.end_headers()
            self.wfile.write(json.dumps(answer if known else {}).encode())

    return HTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def _serving(server: HTTPServer) -> Iterator[str]:
    """Serve in a thread, and give the URL."""
    thread = Thread(target=server.serve_forever, args=(0.05,))  # seconds that shutdown() may take
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _config(aws: str, **places: object) -> str:
    return CONFIG.format(everywhere=EVERYWHERE.format(aws=aws), **places)
