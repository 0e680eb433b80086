"""Tokens of a real authorization server: the npm package oidc-provider, under Node.js.

``BOTOCORE_EXT_OIDC_PROVIDER`` names the folder in which it is installed (see docs/tests.md).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64decode
from contextlib import redirect_stderr
from pathlib import Path
from threading import Thread

import boto3
import pytest

import botocore_ext
from botocore_ext import ConfigurationError, Scope
from botocore_ext.options.scope import Clock
from botocore_ext.tokens import OAuthToken, TokenFile
from tests import fakes

SERVER = Path(__file__).parent.parent / "tools" / "oidc_provider" / "server.mjs"
FOLDER = os.environ.get("BOTOCORE_EXT_OIDC_PROVIDER", "")
#: With every kind of character that has to be encoded.
SECRET = "a+b%c:d e&f=g-do-not-show"
ROLE = "arn:aws:iam::123456789012:role/Web"
#: Refreshes a few times, and prints nothing.
REFRESH = """
import sys
from botocore_ext.tokens import OAuthToken, TokenFile
source = OAuthToken(
    issuer=sys.argv[1], client_id="person", grant="refresh_token",
    refresh_token=TokenFile(sys.argv[2]),
)
for _ in range(10):
    source()
"""

pytestmark = pytest.mark.skipif(
    not (FOLDER and shutil.which("node")),
    reason="there is no node, or BOTOCORE_EXT_OIDC_PROVIDER does not say where oidc-provider is",
)


@pytest.fixture(scope="module")
def issuer():
    """Start the server, and return its URL."""
    with subprocess.Popen(
        ["node", str(SERVER), FOLDER],
        env={"PATH": os.environ["PATH"], "SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(autouse=True)
def _secret():
    fakes.SECRETS.add(SECRET)


@pytest.fixture
def signed_in(issuer, world):
    """A refresh token in a file, after a user has signed in, and the source that stored it."""
    source = OAuthToken(
        issuer=issuer,
        client_id="person",
        grant="device_code",
        scope="openid offline_access",
        refresh_token=TokenFile(str(world / "refresh")),
        bound_to=Scope(clock=Clock(sleep=lambda _: time.sleep(0.2))),
    )
    reading, writing = os.openpty()

    def sign_in():
        shown = os.read(reading, 4096).decode()
        code = re.search(r"enter the code (\S+)", shown)[1]
        request = urllib.request.Request(f"{issuer}/approve/{code}", method="POST")
        urllib.request.urlopen(request).close()

    person = Thread(target=sign_in)
    person.start()
    with os.fdopen(writing, "w") as terminal, redirect_stderr(terminal):
        token = source()
    person.join()
    os.close(reading)
    assert claims(token)["aud"] == "person"
    return source


def stored(source):
    """Return the refresh token in the file."""
    token = Path(source.refresh_token.path).read_text()
    fakes.SECRETS.add(token)
    return token


def claims(token):
    fakes.SECRETS.add(token)
    body = token.split(".")[1]
    return json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_client_credentials_in_a_profile(issuer, aws, config, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", SECRET)
    config(f"""
[profile web]
role_arn = {ROLE}
web_identity_token = oauth://corp

[oauth corp]
issuer = {issuer}
client_id = service
client_secret = env://CLIENT_SECRET
resource = urn:aws
scope = read
""")
    botocore_ext.install()
    credentials = boto3.Session(profile_name="web").get_credentials()
    for _ in range(2):
        credentials.refresh()
    sent = [claims(one.parameters["WebIdentityToken"]) for one in aws.requests]
    assert {(one["iss"], one["aud"], one["sub"]) for one in sent} == {
        (issuer, "sts.amazonaws.com", "service")
    }
    assert len({one["jti"] for one in sent}) == 2


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ({"client_secret": "another"}, "does not accept the client: check client_id and"),
        ({}, "the access_token of http://127.0.0.1:.* is opaque, and AWS accepts a JWT only"),
        ({"resource": "no URI"}, "does not know the audience: check audience and resource"),
    ],
)
def test_what_it_refuses(arguments, fact, issuer):
    given = {"client_secret": SECRET} | arguments
    with pytest.raises(ConfigurationError, match=fact):
        OAuthToken(issuer=issuer, client_id="service", **given)()


def test_a_sign_in_is_requested_once(signed_in):
    """The refresh token rotates, and the terminal is gone."""
    used = [stored(signed_in)]
    for _ in range(3):
        assert claims(signed_in())["sub"] == "user"
        used.append(stored(signed_in))
    assert len({*used}) == 4


def test_a_token_that_was_used_before_revokes_all(signed_in):
    old = stored(signed_in)
    signed_in()
    stored(signed_in)
    with pytest.raises(ConfigurationError, match="does not accept the refresh token"):
        OAuthToken(
            issuer=signed_in.issuer, client_id="person", grant="refresh_token", refresh_token=old
        )()
    with pytest.raises(ConfigurationError, match="a user must sign in, and there is no terminal"):
        signed_in()


def test_processes_share_a_refresh_token(signed_in):
    """Each of the twenty tokens is used once, or the server would have revoked all."""
    command = [sys.executable, "-c", REFRESH, signed_in.issuer, signed_in.refresh_token.path]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [one.wait(60) for one in processes] == [0, 0]
    stored(signed_in)
    assert claims(signed_in())["sub"] == "user"
