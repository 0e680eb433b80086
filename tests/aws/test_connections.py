"""Connections that inner clients share: by way of connecting, and nothing of an identity."""

import concurrent.futures
import http.server
import select
import socket
import ssl
import threading
from pathlib import Path

import botocore.awsrequest
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session

from botocore_ext import FetchError, Scope, from_web_token
from botocore_ext.aws import connections
from tests import certificates, effort, fakes
from tests.runtime.test_fork import in_children

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

ROLE = "arn:aws:iam::123456789012:role/Web"


def resolve(session=None, **arguments):
    """Return credentials of a provider that has a session, and so an inner client, for itself."""
    client_config = {"region_name": "eu-west-1"} | arguments
    if "config" in client_config:
        # One attempt is enough to see an error.
        client_config["config"] = Config(retries={"total_max_attempts": 1}).merge(
            client_config["config"]
        )
    provider = from_web_token(
        role_arn=ROLE, web_identity_token=fakes.secret("token"), client_config=client_config
    )
    credentials = provider.bind(Scope(session or botocore.session.Session())).load()
    credentials.get_frozen_credentials()
    return credentials


class Tls:
    """The certificate of a loopback AWS, and the CA bundle that its clients use."""

    def __init__(self, aws, tmp_path):
        self._folder, self._number = tmp_path, 0
        self.bundle = tmp_path / "bundle.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trusted, self.chain = self.certificate()
        self._context.load_cert_chain(self.chain)
        self.bundle.write_bytes(trusted.read_bytes())
        self._context.load_verify_locations(trusted)
        aws.server.socket = self._context.wrap_socket(aws.server.socket, server_side=True)
        aws.url = f"https://localhost:{aws.port}"

    def certificate(self, name="authority"):
        """Write a new authority and a host's certificate."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        return certificates.write(folder, "localhost", name)

    def request_certificates(self):
        self._context.verify_mode = ssl.CERT_OPTIONAL

    def replace(self, name="authority"):
        """Have the server use the certificate of another authority, which is returned."""
        trusted, chain = self.certificate(name)
        self._context.load_cert_chain(chain)
        return trusted


@pytest.fixture
def tls(aws, tmp_path, monkeypatch):
    tls = Tls(aws, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls.bundle))
    return tls


@pytest.fixture
def reads(monkeypatch):
    """Count how often a TLS context of botocore reads a CA bundle."""
    found = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, *arguments):
            found.append(arguments)
            super().load_verify_locations(*arguments)

    monkeypatch.setattr(botocore.httpsession, "SSLContext", Context)
    return found


def close(aws, credentials):
    """Have the server close the connections that it has, as after an hour without a request."""
    aws.always("AssumeRoleWithWebIdentity", lambda request: closing(aws.sts(request)))
    credentials.refresh()
    aws.scripts.clear()


def closing(answer):
    answer.headers["Connection"] = "close"
    return answer


def test_sessions_share_connections_and_one_ca_bundle(aws, tls, reads):
    keys = {resolve().access_key for _ in range(3)}
    assert len(keys) == 3
    assert (aws.connections, len(reads)) == (1, 1)


def test_a_new_connection_does_not_read_the_ca_bundle_again(aws, tls, reads):
    credentials = resolve()
    close(aws, credentials)
    credentials.refresh()
    assert (aws.connections, len(reads)) == (2, 1)


def test_a_bundle_that_changes_is_read_by_a_client_in_use(aws, tls, reads):
    """As where certificates are rotated: the file is replaced."""
    credentials = resolve()
    close(aws, credentials)
    trusted = tls.replace()
    trusted.replace(tls.bundle)
    credentials.refresh()
    assert (aws.connections, len(reads)) == (2, 2)


def test_a_bundle_that_trusts_less_holds_for_new_sessions(aws, tls):
    """A connection that an earlier session opened is not used: nothing vouches for it now."""
    resolve()
    other, _ = tls.certificate()
    other.replace(tls.bundle)
    with pytest.raises(SSLError):
        resolve(config=Config())
    assert aws.operations() == ["AssumeRoleWithWebIdentity"]


def test_a_bundle_that_has_gone_is_an_error_for_new_sessions(tls):
    resolve()
    tls.bundle.unlink()
    with pytest.raises(FetchError, match="the CA bundle .* cannot be read"):
        resolve(config=Config())


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("first", [True, False])
def test_unverified_connections_are_not_shared_with_others(aws, tls, first):
    other, _ = tls.certificate()  # it does not trust the server
    credentials = resolve(verify=False)
    if first:
        close(aws, credentials)
    with pytest.raises(SSLError):
        resolve(verify=str(other), config=Config())
    credentials.refresh()
    with pytest.raises(SSLError):
        resolve(verify=str(other), config=Config())
    assert set(aws.operations()) == {"AssumeRoleWithWebIdentity"}
    assert resolve().access_key


def test_connections_belong_to_one_client_certificate(aws, tls):
    """It says who connects."""
    tls.request_certificates()
    chains = [tls.chain, tls.certificate()[1]]
    for _ in range(2):
        resolve(config=Config(client_cert=str(chains[0])))
    assert aws.connections == 1
    resolve()
    assert aws.connections == 2
    resolve(config=Config(client_cert=(str(tls.chain), str(tls.chain))))
    assert aws.connections == 3
    chains[1].write_bytes(tls.chain.read_bytes())
    resolve(config=Config(client_cert=str(chains[1])))
    assert aws.connections == 4
    tls.chain.write_bytes(tls.chain.read_bytes())  # renewed
    resolve(config=Config(client_cert=str(chains[0])))
    assert aws.connections == 5


@pytest.mark.parametrize(
    "different",
    [
        {"connect_timeout": 3},
        {"read_timeout": 4},
        {"tcp_keepalive": True},
        {"max_pool_connections": 5},
        {"proxies_config": {"proxy_use_forwarding_for_https": True}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_another_way_of_connecting_has_its_own_connections(aws, different):
    for _ in range(2):
        resolve()
        resolve(config=Config(**different))
    assert aws.connections == 2


def test_a_proxy_is_a_way_of_connecting(aws):
    """The fake answers as the proxy, and counts what reaches it."""
    proxied = Config(proxies={"http": f"http://me:secret@127.0.0.1:{aws.port}"})
    other = Config(proxies={"http": f"http://you:secret@127.0.0.1:{aws.port}"})
    for config in (proxied, proxied, other, Config()):
        resolve(config=config)
    sent = [one.headers.get("Proxy-Authorization") for one in aws.requests]
    assert sent[0] == sent[1]
    assert len(set(sent)) == 3
    assert aws.connections == 3


def test_what_cannot_be_compared_is_not_shared(aws):
    for _ in range(2):
        resolve(config=Config(proxies_config={"unknown": {1, 2}}))
    assert aws.connections == 2


def test_as_many_connections_are_kept_as_the_config_says(aws):
    """Two requests at once need two, of which the pool keeps one."""
    config = Config(max_pool_connections=1)
    users = [resolve(config=config), resolve(config=config)]
    assert aws.connections == 1
    both = threading.Barrier(2)

    def answer(request):
        both.wait(timeout=20)
        return aws.sts(request)

    aws.always("AssumeRoleWithWebIdentity", answer)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for connections_until_now in (2, 3):
            list(pool.map(lambda one: one.refresh(), users))
            assert aws.connections == connections_until_now


def test_a_bounded_number_of_sessions_is_shared(aws):
    """Those that were used last."""
    first, *ways = [Config(connect_timeout=timeout) for timeout in range(10, 21)]
    for way in (first, *ways[:9], first, ways[9]):
        resolve(config=way)
    assert aws.connections == 11
    resolve(config=first)
    assert aws.connections == 11
    resolve(config=ways[0])
    assert aws.connections == 12


def test_a_program_that_replaces_connections_gets_new_ones(aws, monkeypatch):
    """As programs do that record requests: what they open stays theirs."""
    resolve()
    hosts = []

    class Recorded(botocore.awsrequest.AWSHTTPConnection):
        def connect(self):
            hosts.append(self.host)
            super().connect()

    with monkeypatch.context() as patch:
        patch.setattr(botocore.awsrequest.AWSHTTPConnectionPool, "ConnectionCls", Recorded)
        resolve()
        resolve()
    assert len(hosts) == 1
    resolve()
    assert aws.connections == 2


def test_session_with_its_own_create_client_shares_nothing(aws):
    class Mine(botocore.session.Session):
        def create_client(self, *names, **given):
            return super().create_client(*names, **given)

    for _ in range(2):
        resolve(Mine())
    assert aws.connections == 2


def test_another_class_of_http_session_is_left_alone(aws):
    class Mine(URLLib3Session):
        pass

    session = botocore.session.Session()
    session.register("creating-client-class", replace_http_session(Mine))
    for _ in range(2):
        resolve(session)
    assert aws.connections == 2


def replace_http_session(kind):
    """Return a handler that has new clients send through a session of another class."""

    def handler(base_classes, **_):
        class Base:
            def __init__(self, *arguments, **given):
                super().__init__(*arguments, **given)
                self._endpoint.http_session = kind()

        base_classes.insert(0, Base)

    return handler


def answer_by_token(aws):
    """Have each access key say which token it is for."""

    def of_token(request):
        answer, expected = aws.sts(request), key_of(request.parameters["WebIdentityToken"])
        answer.body = answer.body.replace(request.gave.encode(), expected.encode())
        return answer

    aws.always("AssumeRoleWithWebIdentity", of_token)


def key_of(token):
    return f"ASIA{token.split('-')[1]:>016}"


def test_children_never_use_the_connections_of_their_parent(aws):
    """Also for a session that a child creates itself."""
    answer_by_token(aws)
    resolve()

    def fetches(token):
        found = []
        for _ in range(20):
            provider = from_web_token(role_arn=ROLE, web_identity_token=token)
            credentials = provider.bind(Scope(botocore.session.Session())).load()
            found.append(credentials.access_key == key_of(token))
        return sum(found)

    tokens = [fakes.secret("token") for _ in range(2)]
    assert in_children(*[lambda token=token: fetches(token) for token in tokens]) == ["20", "20"]
    assert aws.connections == 3
    resolve()
    assert aws.connections == 3


def test_sixty_four_threads_each_get_their_own_answers(aws):
    """More than a pool keeps: the rest is closed after the request."""
    barrier = threading.Barrier(64)

    answer_by_token(aws)
    resolve()
    tokens = [fakes.secret("token") for _ in range(64)]
    session = botocore.session.Session()
    bound = [
        from_web_token(role_arn=ROLE, web_identity_token=one).bind(Scope(session)).load()
        for one in tokens
    ]

    def fetch(number):
        barrier.wait(60)
        credentials = bound[number]
        for _ in range(effort.rounds(1, 3)):
            credentials.refresh()
        return credentials.access_key

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        keys = list(pool.map(fetch, range(64)))
    assert keys == [key_of(one) for one in tokens]


class TestRootsOfAws:
    """Of botocore's own bundle the certificates of AWS are read first, and then all."""

    @pytest.fixture
    def bundle(self, tls, tmp_path, monkeypatch):
        """Return a function that makes botocore's bundle trust an authority of this name."""
        monkeypatch.delenv("AWS_CA_BUNDLE")
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        plain = Path(botocore.httpsession.DEFAULT_CA_BUNDLE).read_text(encoding="utf-8")

        def trust(name):
            path = tmp_path / "cacert.pem"
            path.write_text(plain + tls.replace(name).read_text(encoding="utf-8"))
            monkeypatch.setattr(botocore.httpsession, "where", lambda: str(path))
            return path

        return trust

    def test_these_are_enough_for_aws(self, aws, bundle, reads):
        bundle("Amazon Root CA 9")
        close(aws, resolve())
        resolve()
        [(path, _, roots)] = reads
        assert path is None
        assert all(b"Amazon Root CA %d" % number in roots for number in (1, 2, 3, 4, 9))
        assert len(roots) < 10_000
        assert aws.connections == 2

    def test_all_are_read_where_these_are_not_enough(self, aws, bundle, reads):
        path = bundle("authority")
        close(aws, resolve())
        resolve()
        assert [one[0] for one in reads] == [None, str(path)]
        assert aws.connections == 2

    def test_threads_that_come_first_all_get_an_answer(self, aws, bundle):
        bundle("authority")
        barrier = threading.Barrier(8)

        def work(_):
            barrier.wait(60)
            return resolve().access_key

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(work, range(8)))) == 8

    def test_a_server_without_a_known_authority_is_refused(self, aws, bundle, tls, reads):
        bundle("authority")
        tls.replace()
        with pytest.raises(SSLError):
            resolve(config=Config())
        assert len(reads) == 2
        assert aws.requests == []

    def test_a_bundle_without_them_is_read_at_once(self, bundle, tls, reads):
        path = bundle("authority")
        path.write_text(tls.replace().read_text())
        resolve()
        assert [one[0] for one in reads] == [str(path)]

    def test_a_bundle_of_the_user_is_read_at_once(self, bundle, reads):
        path = bundle("Amazon Root CA 9")
        copied = path.with_name("copy.pem")
        copied.write_bytes(path.read_bytes())
        resolve(verify=str(copied))
        assert [one[0] for one in reads] == [str(copied)]

    def test_through_a_proxy_all_are_read_at_once(self, aws, bundle, reads, tunnel):
        path = bundle("authority")
        resolve(config=Config(proxies={"https": tunnel.url}))
        assert [one[0] for one in reads] == [str(path)]
        assert tunnel.hosts == [f"localhost:{aws.port}"]


class Tunnel(http.server.BaseHTTPRequestHandler):
    """A proxy that opens tunnels to this machine."""

    def do_CONNECT(self):
        self.server.hosts.append(self.path)
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            sockets = [self.connection, other]
            while True:
                for one in select.select(sockets, [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    sockets[one is self.connection].sendall(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def tunnel():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads, server.hosts = True, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
        connections.reset()
