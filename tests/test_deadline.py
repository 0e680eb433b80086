"""Servers that drip: a fetch ends in time, in the thread that needs it, and leaves nothing."""

import gc
import socket
import ssl
import threading
import time

import pytest
from botocore.config import Config

from botocore_ext import (
    FetchError,
    Scope,
    from_cognito_identity_pool,
    from_http,
)

from . import certificates, fakes

#: What a budget of 25 seconds leaves for the second call where the first took this long.
LEFT = 0.3
FIRST = 25 - LEFT
#: One byte at a time, long before any timeout of a socket.
DRIP = 0.02
DRIPS = {
    "headers": fakes.Answer(b"{}", drip=DRIP, drips_headers=True),
    "body": fakes.Answer(b"{" * 1000, drip=DRIP),
    "body without length": fakes.Answer(b"{" * 1000, drip=DRIP, headers={"Content-Length": ""}),
}


@pytest.fixture(params=["http", "https"])
def server(request, aws, tmp_path, monkeypatch):
    """A loopback AWS, by http or https."""
    if request.param == "https":
        trusted, chain = certificates.write(tmp_path, "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        aws.server.socket = context.wrap_socket(aws.server.socket, server_side=True)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
        aws.url = f"https://localhost:{aws.port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    return aws


def open_sockets(port):
    """Return the sockets of clients that are connected to ``port``."""
    found = []
    for one in gc.get_objects():
        if isinstance(one, socket.socket) and one.fileno() != -1:
            try:
                peer = one.getpeername()
            except OSError:
                continue
            found += [one] if peer[1] == port else []
    return found


def pool(clock, **retries):
    """Return a provider of which the second call has ``LEFT`` seconds."""
    config = Config(connect_timeout=LEFT / 4, read_timeout=LEFT / 4, retries=retries or None)
    provider = from_cognito_identity_pool(
        identity_pool_id="us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
        client_config={"config": config},
    )
    return provider.bind(Scope(clock=clock)).load()


def slow_first_call(aws, clock):
    aws.now = clock.now
    aws.script("GetId", lambda request: clock.advance(FIRST) or aws.cognito(request))


@pytest.mark.parametrize("drip", DRIPS)
def test_a_call_of_a_service_ends_with_the_budget(server, clock, drip):
    slow_first_call(server, clock)
    server.always("GetCredentialsForIdentity", DRIPS[drip])
    credentials, threads = pool(clock), threading.active_count()
    began = time.monotonic()
    with pytest.raises(FetchError, match=r"did not answer within the 25 seconds of one fetch"):
        credentials.get_frozen_credentials()
    assert time.monotonic() - began < 20 * LEFT
    assert server.operations() == ["GetId", "GetCredentialsForIdentity"]
    assert threading.active_count() <= threads + 1  # of the server, which may not know yet
    assert open_sockets(server.port) == []
    server.scripts.clear()
    assert credentials.access_key


@pytest.mark.parametrize("drip", DRIPS)
def test_an_attempt_at_an_endpoint_ends_with_its_time(server, drip):
    server.always("GET", DRIPS[drip])
    provider = from_http(
        aws_container_credentials_full_uri=server.url, timeout=LEFT / 5, max_retries=0
    )
    with pytest.raises(FetchError, match=r"had not answered in full after 0\.3 s"):
        provider.load().get_frozen_credentials()
    assert open_sockets(server.port) == []
    server.scripts.clear()
    assert provider.load().access_key
