"""Which endpoints may be asked: what is accepted, and what is connected to."""

import itertools
import socket
import ssl
import threading
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError
from botocore.session import Session

from botocore_ext.aws.endpoint import Endpoint, EndpointError, is_allowed
from botocore_ext.aws.http import Timeouts, _explain, _proxies, request, retry
from tests import certificates, fakes


@pytest.mark.parametrize(
    ("uri", "authority", "url"),
    [
        ("https://Example.COM", "example.com", "https://example.com:443/"),
        ("https://example.com:8443/a?b#c", "example.com:8443", "https://example.com:8443/a?b"),
        ("https://10.0.0.1/x", "10.0.0.1", "https://10.0.0.1:443/x"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]", "https://[2001:db8::1]:443/x"),
        ("https://example.com:80/", "example.com:80", "https://example.com:80/"),
        ("http://127.0.0.1", "127.0.0.1", "http://127.0.0.1:80/"),
        ("http://127.0.0.1:443", "127.0.0.1:443", "http://127.0.0.1:443/"),
        ("http://127.255.255.254:8080/x", "127.255.255.254:8080", "http://127.255.255.254:8080/x"),
        ("http://[::1]:81/x", "[::1]:81", "http://[::1]:81/x"),
        ("http://[0:0:0:0:0:0:0:1]/x", "[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]:80/x"),
        ("http://169.254.170.2/x", "169.254.170.2", "http://169.254.170.2:80/x"),
        ("http://169.254.170.23/x", "169.254.170.23", "http://169.254.170.23:80/x"),
        ("http://[fd00:ec2::23]/x", "[fd00:ec2::23]", "http://[fd00:ec2::23]:80/x"),
        ("http://localhost/x", "localhost", "http://localhost:80/x"),
        ("HTTP://LOCALHOST/x", "localhost", "http://localhost:80/x"),
    ],
)
def test_what_is_accepted_is_taken_apart_and_put_together(uri, authority, url):
    endpoint = Endpoint.parse(uri)
    assert (endpoint.authority, endpoint.url(endpoint.host)) == (authority, url)


@pytest.mark.parametrize(
    "uri",
    [
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://126.255.255.255/",
        "http://128.0.0.1/",
        "http://169.254.169.254/",
        "http://169.254.170.3/",
        "http://[::2]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1%25lo]/",
        "http://[fd00:ec2::254]/",
        "http://127.0.0.1@evil.example/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "http://evil.example\\.127.0.0.1/",
        "http://127.0.0.1/\r\nX-Evil: 1",
        "http://127.0.0.1/a b",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:99999/",
        "http://%31%32%37.0.0.1/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://[v1.localhost]/",
        "http://[127.0.0.1]/",
        "http://[::1]x/",
        "http://localhost../",
        f"http://{'a' * 64}/",
        "http://-agent/",
        "http:///path",
        "http://[::1/",
        "//127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1",
        "",
    ],
)
def test_what_is_refused(uri):
    with pytest.raises(ValueError, match="is not a URL|names|contains"):
        Endpoint.parse(uri)


@pytest.mark.parametrize(
    ("host", "found"), [("127.1", True), ("2130706433", True), ("0x7f.1", True)]
)
def test_short_address_is_resolved_as_a_name(host, found, monkeypatch):
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    assert (Endpoint.parse(f"http://{host}/").addresses() == ["127.0.0.1"]) is found


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%2", "x"]
)
def test_a_name_that_resolves_elsewhere_is_refused(address, monkeypatch):
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    assert not is_allowed(address)
    with pytest.raises(EndpointError, match="use https") as raised:
        Endpoint.parse("http://agent/").addresses()
    assert not raised.value.retry


def test_no_proxy_for_this_machine_and_its_agents(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    session = Session()
    for uri in (
        "http://127.0.0.1/",
        "http://169.254.170.2/",
        "http://localhost/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.170.23/",
        "https://[::1]/",
        "https://[fd00:ec2::23]/",
        "https://169.254.1.1/",
        "https://[fe80::1]/",
        "http://agent/",  # its addresses are checked before a request
    ):
        assert _proxies(Endpoint.parse(uri), session) == {}
    found = _proxies(Endpoint.parse("https://example.com/"), session)
    assert found["proxies"]["https"] == "http://127.0.0.1:9"
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert _proxies(Endpoint.parse("https://example.com/"), session) == {"proxies": {}}


def test_the_sessions_own_proxy_is_used():
    session = Session()
    own = {
        "proxies": {"https": "http://127.0.0.1:9"},
        "proxies_config": {"proxy_use_forwarding_for_https": True},
    }
    session.set_default_client_config(Config(**own))
    endpoint = Endpoint.parse("https://example.com/")
    assert _proxies(endpoint, session) == own
    with pytest.raises(EndpointError, match="cannot be reached through the proxy"):
        request(endpoint, {}, Timeouts(1, 1, 5), session)


def test_a_certificate_that_is_not_accepted_is_named(aws):
    """The loopback AWS has no TLS, and so no certificate either."""
    endpoint = Endpoint.parse(f"https://127.0.0.1:{aws.port}/")
    with pytest.raises(EndpointError, match="set AWS_CA_BUNDLE to its authority") as raised:
        request(endpoint, {}, Timeouts(1, 1, 5), Session())
    assert not raised.value.retry


@pytest.mark.parametrize(
    ("of", "is_trusted", "is_asked"),
    [("localhost", True, True), ("localhost", False, False), ("example.com", True, False)],
)
def test_certificate_must_be_trusted_and_for_this_host(
    aws, tmp_path, monkeypatch, of, is_trusted, is_asked
):
    trusted, chain = certificates.write(tmp_path, of)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    aws.server.socket = context.wrap_socket(aws.server.socket, server_side=True)
    if is_trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
    endpoint = Endpoint.parse(f"https://localhost:{aws.port}/")
    if is_asked:
        assert request(endpoint, {}, Timeouts(10, 10, 20), Session())[0] == 200
    else:
        with pytest.raises(EndpointError, match="no TLS certificate that is trusted"):
            request(endpoint, {}, Timeouts(10, 10, 20), Session())
    assert len(aws.requests) == is_asked


def test_an_incomplete_answer_is_an_error():
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up():
        connection, _ = listener.accept()
        connection.recv(1024)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    endpoint = Endpoint.parse(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    with pytest.raises(EndpointError, match="closed the connection"):
        request(endpoint, {}, Timeouts(1, 1, 5), Session())
    thread.join()
    listener.close()


@pytest.mark.parametrize("length", ["1000", ""], ids=["of a known length", "of any length"])
def test_an_answer_in_drops_is_too_slow(aws, length):
    """Half an answer is none."""
    aws.script("GET", fakes.Answer(b"{" * 1000, drip=0.05, headers={"Content-Length": length}))
    with pytest.raises(EndpointError) as raised:
        request(Endpoint.parse(aws.url), {}, Timeouts(2, 2, whole=0.5), Session())
    text = "did not answer in full within 0.5 s: raise the timeout, or check its log"
    assert (str(raised.value), raised.value.retry) == (text, True)


def test_connect_timeout_is_not_the_read_timeout(aws):
    aws.script("GET", fakes.Answer(silence=2))  # and then it closes the connection
    with pytest.raises(EndpointError, match="sent no data for 0.1 s"):
        request(Endpoint.parse(aws.url), {}, Timeouts(connect=10, read=0.1, whole=20), Session())


def test_looking_up_a_name_is_part_of_an_attempt(aws, monkeypatch):
    """It cannot be ended; no request follows one that took all the time."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", aws.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.1) or found)
    with pytest.raises(EndpointError, match="did not answer in full within 0.05 s"):
        request(Endpoint.parse("http://agent/"), {}, Timeouts(1, 1, whole=0.05), Session())
    assert aws.connections == 0


def test_pauses_grow_to_the_read_timeout_with_jitter(clock):
    pauses = []

    def attempt(*_):
        pauses.append(clock.steady)
        raise EndpointError("fails")

    endpoint = Endpoint.parse("http://127.0.0.1/")
    with pytest.raises(EndpointError, match="fails"):
        retry(attempt, endpoint, Timeouts(1, 1, 1), retries=6, clock=clock, seconds=100)
    found = [after - before for before, after in itertools.pairwise(pauses)]
    assert found == pytest.approx([0.15, 0.3, 0.6, 0.75, 0.75, 0.75])


def test_connection_that_is_not_accepted_times_out():
    error = _explain(
        ConnectTimeoutError(endpoint_url="http://127.0.0.1/secret-path"), Timeouts(1, 1, 5)
    )
    assert str(error) == "did not accept a connection within 1 s: check the address"
