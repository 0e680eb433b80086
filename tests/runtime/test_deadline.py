"""Servers that drip: a fetch ends in time, in the thread that needs it, and leaves nothing."""

import contextlib
import gc
import socket
import ssl
import threading
import time

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from botocore_ext import FetchError, Scope, from_cognito_identity_pool, from_http
from botocore_ext.aws import connections
from tests import certificates, fakes

#: What a budget of 25 seconds leaves for the second call where the first took this long.
LEFT = 0.6
FIRST = 25 - LEFT
#: On a busy machine a byte may come later than the timeout of the socket.
TOO_SLOW = "did not answer in full within 1 s|sent no data for"
#: One byte at a time, long before any timeout of a socket.
DRIP = 0.01
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
        # Event loops of other libraries have sockets, too, of another family.
        # By type(): a weak proxy whose object has gone cannot be asked for its class.
        is_open = issubclass(type(one), socket.socket) and one.fileno() != -1
        if is_open and one.family in (socket.AF_INET, socket.AF_INET6):
            try:
                peer = one.getpeername()
            except OSError:
                continue
            found += [one] if peer[1] == port else []
    return found


def pool(clock, session=None):
    """Return a provider of which the second call has ``LEFT`` seconds."""
    config = Config(connect_timeout=LEFT / 3, read_timeout=LEFT / 2)
    provider = from_cognito_identity_pool(
        identity_pool_id="us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
        client_config={"config": config},
    )
    return provider.bind(Scope(session, clock=clock)).load()


def slow_first_call(aws, clock):
    aws.now = clock.now
    aws.script("GetId", lambda request: clock.advance(FIRST) or aws.cognito(request))


@pytest.mark.parametrize("drip", DRIPS)
def test_a_call_of_a_service_ends_with_the_budget(server, clock, drip):
    slow_first_call(server, clock)
    server.always("GetCredentialsForIdentity", DRIPS[drip])
    credentials, threads = pool(clock), threading.active_count()
    with pytest.raises(FetchError, match=r"did not answer within the 25 seconds of one fetch"):
        credentials.get_frozen_credentials()
    assert set(server.operations()) == {"GetId", "GetCredentialsForIdentity"}
    assert threading.active_count() <= threads + 1  # of the server, which may not know yet
    assert open_sockets(server.port) == []
    server.scripts.clear()
    assert credentials.access_key


@pytest.mark.parametrize("drip", DRIPS)
def test_an_attempt_at_an_endpoint_ends_with_its_time(server, drip):
    server.always("GET", DRIPS[drip])
    provider = from_http(
        aws_container_credentials_full_uri=server.url, timeout=LEFT / 3, max_retries=0
    )
    with pytest.raises(FetchError, match=TOO_SLOW):
        provider.load().get_frozen_credentials()
    assert open_sockets(server.port) == []


class Empty:
    """A body without a byte."""

    def stream(self):
        return iter(())


class Raw:
    """A server that speaks bytes: ``serve`` has a connection for itself, in a thread."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._serve = serve
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._serve(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join()


def drip(connection, data):
    for position in range(len(data)):
        connection.sendall(data[position : position + 1])
        threading.Event().wait(DRIP)


@pytest.fixture
def raw():
    """Start a raw server."""
    servers = []

    def start(serve):
        servers.append(Raw(serve))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.mark.parametrize("drips", ["handshake", "record"])
def test_tls_that_drips_ends_in_time(raw, tmp_path, monkeypatch, drips):
    """Bytes that are no data yet reach OpenSSL alone, which has one timeout for all of them."""
    trusted, chain = certificates.write(tmp_path, "localhost")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    def serve(connection):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        send = drip if drips == "handshake" else socket.socket.sendall
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                break
            send(connection, outgoing.read())
            incoming.write(connection.recv(65536))
        tls.write(b"HTTP/1.1 200 OK\r\n" * 100)
        drip(connection, outgoing.read())

    server = raw(serve)
    provider = from_http(
        aws_container_credentials_full_uri=f"https://localhost:{server.port}/",
        timeout=LEFT,
        max_retries=0,
    )
    with pytest.raises(FetchError, match=f"localhost:{server.port} "):
        provider.load().get_frozen_credentials()
    assert open_sockets(server.port) == []


def test_a_proxy_that_drips_ends_in_time(raw, monkeypatch):
    """It answers to CONNECT before there is a connection to the service."""

    def serve(connection):
        connection.recv(65536)
        drip(connection, b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 1000)

    server = raw(serve)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    provider = from_http(
        aws_container_credentials_full_uri="https://example.com/",
        timeout=LEFT / 3,
        max_retries=0,
    )
    with pytest.raises(FetchError, match=TOO_SLOW):
        provider.load().get_frozen_credentials()
    assert open_sockets(server.port) == []


def test_connections_are_reused_by_the_next_refresh(server, clock):
    server.now = clock.now
    credentials = pool(clock)
    for _ in range(3):
        credentials.refresh()
    assert server.connections == 1
    assert len(open_sockets(server.port)) == 1


def test_no_request_follows_a_handler_that_took_all_the_time(aws, clock):
    """The time of a call is real, whatever clock the provider has."""
    slow_first_call(aws, clock)
    session = botocore.session.Session()
    session.register(
        "before-send.cognito-identity.GetCredentialsForIdentity", lambda **_: time.sleep(LEFT)
    )
    with pytest.raises(FetchError, match="did not answer within the 25 seconds of one fetch"):
        pool(clock, session).get_frozen_credentials()
    assert aws.operations() == ["GetId"]


def test_the_user_of_an_endpoint_is_not_in_the_error(aws, clock):
    password = fakes.secret("password")
    slow_first_call(aws, clock)
    provider = from_cognito_identity_pool(
        identity_pool_id="us-east-1:pool",
        client_config={"endpoint_url": f"http://me:{password}@127.0.0.1:{aws.port}"},
    )
    with pytest.raises(FetchError, match=f"^[^@]*127.0.0.1:{aws.port} did not answer") as caught:
        provider.bind(Scope(None, clock=clock)).load().get_frozen_credentials()
    assert password not in str(caught.value)


def test_a_session_may_return_the_client_that_it_has(server):
    """It is then prepared for deadlines more than once."""
    clients = []

    class Mine(botocore.session.Session):
        def create_client(self, *names, **given):
            if not clients:
                clients.append(super().create_client(*names, **given))
            return clients[0]

    session = Mine()
    Scope(session).client("cognito-identity", None)
    provider = from_cognito_identity_pool(identity_pool_id="us-east-1:pool")
    assert provider.bind(Scope(session)).fetch()


def test_handler_that_answers_replaces_the_service(aws, clock, monkeypatch):
    """As moto and programs do that replay answers: nothing is sent."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    session = botocore.session.Session()
    session.register("before-send", lambda request, **_: AWSResponse(request.url, 503, {}, Empty()))
    provider = from_cognito_identity_pool(identity_pool_id="us-east-1:pool")
    with pytest.raises(ClientError, match="503"):
        provider.bind(Scope(session, clock=clock)).load().get_frozen_credentials()
    assert aws.connections == 0


def test_a_pool_looks_up_its_connection_class_each_time():
    """Programs that record requests replace it."""
    kind = type("Pool", (), {"ConnectionCls": dict})
    pool_class = connections._pool(kind)
    for connection_class in (dict, list):
        kind.ConnectionCls = connection_class
        assert issubclass(pool_class().ConnectionCls, connection_class)
