"""What other programs read of credentials, for want of a public name: it says what botocore's says.

polars and obstore, the real ones, read an object through credentials that end in between.
"""

import re
import threading
import time
import warnings
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.credentials import DeferredRefreshableCredentials

import botocore_ext
from botocore_ext import FetchError, FrozenCredentials, Scope, Session, create_credential_chain

OBJECT = b"name,size\nlog,42\n"


class Source:
    """Gives other credentials at each call, for an hour; or fails."""

    def __init__(self, clock):
        self.clock, self.calls, self.fails = clock, 0, False

    def keys(self):
        self.calls += 1
        if self.fails:
            raise FetchError(provider="source", error_msg="is down")
        return FrozenCredentials(f"AKIA{self.calls}", "secret", "token", self.clock.at(3600))

    def metadata(self):
        """Return the same as botocore's refreshing credentials take it."""
        keys = self.keys()
        return {
            "access_key": keys.access_key,
            "secret_key": keys.secret_key,
            "token": keys.token,
            "expiry_time": keys.expiration.isoformat(),
        }


@pytest.fixture
def ours(clock):
    source = Source(clock)
    credentials = create_credential_chain(source.keys).bind(Scope(clock=clock)).load()
    return credentials, source


@pytest.fixture
def botocores(clock):
    source = Source(clock)
    now = lambda: clock.at(0)  # noqa: E731 - what botocore calls for the time
    return DeferredRefreshableCredentials(source.metadata, "plain", now), source


def seen(credentials):
    """Return what a program sees that does not refresh."""
    remaining = credentials._expiry_time and credentials._seconds_remaining()
    frozen = credentials._frozen_credentials
    return frozen and frozen[:3], credentials._expiry_time, remaining, credentials._is_expired()


def test_private_names_have_botocores_meaning(ours, botocores, clock):
    for seconds, refreshes in [(0, False), (0, True), (3599, False), (2, False), (0, True)]:
        clock.advance(seconds)
        for credentials, _ in (ours, botocores):
            if refreshes:
                credentials.get_frozen_credentials()
        assert seen(ours[0]) == seen(botocores[0])
    assert ours[0]._seconds_remaining() == 3600


def test_nothing_remains_before_the_first_fetch(ours):
    assert ours[0]._seconds_remaining() == 0


def test_credentials_without_an_end_have_no_expiry():
    credentials = create_credential_chain(lambda: FrozenCredentials("AKIA", "secret")).load()
    credentials.get_frozen_credentials()
    assert credentials._expiry_time is None
    assert credentials._seconds_remaining() == float("inf")
    assert not credentials._is_expired()


def test_a_refresh_on_demand_is_one(ours, botocores):
    for credentials, source in (ours, botocores):
        credentials.get_frozen_credentials()
        credentials._protected_refresh(is_mandatory=False)
        assert credentials._frozen_credentials.access_key == "AKIA2"
        credentials._refresh()
        assert source.calls == 2


def test_a_refresh_on_demand_raises_only_if_it_is_mandatory(ours, botocores):
    for credentials, source in (ours, botocores):
        credentials.get_frozen_credentials()
        source.fails = True
        credentials._protected_refresh(is_mandatory=False)
        with pytest.raises(FetchError, match="is down"):
            credentials._protected_refresh(is_mandatory=True)
        assert credentials._frozen_credentials.access_key == "AKIA1"


def test_an_expiry_set_to_the_past_makes_the_next_use_refresh(ours, botocores, clock):
    """Programs do so in their tests."""
    for credentials, _ in (ours, botocores):
        credentials.get_frozen_credentials()
        credentials._expiry_time = clock.at(7200)
        assert credentials.get_frozen_credentials().access_key == "AKIA1"
        credentials._expiry_time = clock.at(-1)
        assert credentials.get_frozen_credentials().access_key == "AKIA2"


@pytest.mark.parametrize(
    ("given", "year"),
    [("2030-01-02T03:04:05+02:00", 2030), ("9999-12-31T23:59:59-10:00", 9999)],
)
def test_the_expiration_is_in_utc(given, year):
    credentials = create_credential_chain(
        lambda: {"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": given}
    ).load()
    credentials.get_frozen_credentials()
    assert credentials.expiration.tzinfo is timezone.utc
    assert (credentials.expiration.year, credentials.expiration.hour) in {(year, 1), (year, 23)}


class Bucket:
    """Serves one object, unless the request is signed with expired credentials."""

    def __init__(self):
        self.signers, self.refused, self.expirations = [], [], {}
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                signer = re.search(r"Credential=(\w+)", self.headers["Authorization"])[1]
                is_good = time.time() < bucket.expirations[signer]
                (bucket.signers if is_good else bucket.refused).append(signer)
                asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                first, last = map(int, asked.groups()) if asked else (0, len(OBJECT))
                body = OBJECT[first : last + 1]
                self.send_response((206 if asked else 200) if is_good else 403)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(OBJECT)}")
                self.send_header("ETag", '"1"')
                self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_HEAD(self):
                self.do_GET()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()

    def keys(self):
        """Give credentials that end with a second, in 1.5 to 2.5, then some that live an hour."""
        access_key = f"AKIA{len(self.expirations)}"
        end = time.time() + 3600 if self.expirations else int(time.time() + 2.5)
        self.expirations[access_key] = end
        return FrozenCredentials(
            access_key, "secret", "token", datetime.fromtimestamp(end, timezone.utc)
        )

    def wait(self):
        """Wait until the first credentials have ended."""
        time.sleep(max(0.01, self.expirations["AKIA0"] + 0.01 - time.time()))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def bucket():
    found = Bucket()
    yield found
    found.close()


@pytest.mark.caller_signs
def test_polars_reads_the_expiration(bucket, clock):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    botocore_ext.install(lambda: FrozenCredentials("AKIA", "secret", "token", clock.at(600)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # polars says that it may change
        provider = polars.CredentialProviderAWS()
    assert provider() == (
        {
            "aws_access_key_id": "AKIA",
            "aws_secret_access_key": "secret",
            "aws_session_token": "token",
        },
        int(clock.time + 600),
    )


@pytest.mark.caller_signs
def test_polars_reads_beyond_the_end_of_the_credentials(bucket):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    botocore_ext.install(bucket.keys)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # polars says that it may change
        provider = polars.CredentialProviderAWS(region_name="eu-west-1")
    options = {"aws_endpoint_url": bucket.url, "aws_allow_http": "true"}
    for _ in range(2):
        frame = polars.scan_csv(
            "s3://bucket/object.csv", credential_provider=provider, storage_options=options
        )
        assert frame.collect().to_dicts() == [{"name": "log", "size": 42}]
        bucket.wait()
    assert bucket.refused == []
    assert (bucket.signers[0], bucket.signers[-1]) == ("AKIA0", "AKIA1")


@pytest.mark.caller_signs
def test_obstore_reads_beyond_the_end_of_the_credentials(bucket):
    """It keeps them for ``ttl``, whatever their expiration, so ``ttl`` must be short."""
    obstore = pytest.importorskip("obstore", reason="obstore is not installed")
    auth = pytest.importorskip("obstore.auth.boto3", reason="obstore needs Python 3.11 for boto3")
    session = Session(credentials=bucket.keys, region_name="eu-west-1")
    store = obstore.store.S3Store(
        "bucket",
        endpoint=bucket.url,
        client_options={"allow_http": True},
        credential_provider=auth.Boto3CredentialProvider(session, ttl=timedelta(seconds=0.1)),
    )
    for _ in range(2):
        assert bytes(obstore.get(store, "object.csv").bytes()) == OBJECT
        bucket.wait()
    assert bucket.refused == []
    assert bucket.signers == ["AKIA0", "AKIA1"]
