"""The real error, and never a wrong one, whatever a source answers and whatever code raises."""

import gc
import json
import signal
import ssl
import sys
import threading

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials

from botocore_ext import (
    FetchError,
    FrozenCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_http,
    from_instance_metadata,
    from_process,
    from_sso,
    from_temporary_credentials,
    from_web_token,
)
from tests import certificates, fakes

ROLE = "arn:aws:iam::123456789012:role/Web"
IDENTITY = "us-east-1:00000000-0000-0000-0000-000000000001"
#: An address that the tests refuse to connect to, with an error of their own.
ELSEWHERE = "192.0.2.1"
URL = "https://d-abc123.awsapps.com/start"


class MineError(ValueError):
    """An error of the caller's, of a kind that botocore's parsers raise, too."""


def fails(**_):
    raise MineError("mine")


def web_token(**options):
    return from_web_token(
        role_arn=ROLE, web_identity_token=fakes.secret("token"), client_config=options
    )


def sso(world, aws, **changed):
    fakes.sso_token(world, URL, aws.now() + 3600, **changed)
    return from_sso(
        sso_start_url=URL, sso_account_id="1", sso_region="us-east-1", sso_role_name="R"
    )


@pytest.mark.parametrize("event", ["before-parameter-build", "before-send", "after-call"])
def test_an_error_of_the_callers_event_handler_is_raised(event, world, aws):
    """Its class is one of those that an unreadable answer leads to."""
    session = botocore.session.Session()
    session.register(event, fails)
    cognito, role = from_cognito_identity(identity_id=IDENTITY), web_token()
    for provider in (cognito, role, sso(world, aws)):
        with pytest.raises(MineError, match="mine"):
            provider.bind(Scope(session)).fetch()


@pytest.mark.usefixtures("aws")
def test_an_error_of_the_callers_function_is_raised():
    token = from_web_token(role_arn=ROLE, web_identity_token=fails)
    assumer = from_web_token(
        role_arn=ROLE,
        web_identity_token=fakes.secret("token"),
        role_assumer_with_web_identity=lambda _: fails(),
    )
    params = {"RoleArn": ROLE, "SerialNumber": "arn:aws:iam::123456789012:mfa/me"}
    code = from_temporary_credentials(
        params=params,
        mfa_code_provider=lambda _: fails(),
        master_credentials=lambda: FrozenCredentials("A", "s"),
    )
    for provider in (token, assumer, code, create_credential_chain(fails)):
        with pytest.raises(MineError, match="mine"):
            provider.fetch()


# urllib3 closes a socket that did not connect only after an ``OSError``.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*socket:Warning")
def test_an_error_of_a_blocked_socket_is_raised(monkeypatch):
    """As with pytest-socket; the tests block all addresses but those of this machine."""
    text = f"connects to {ELSEWHERE}"
    with pytest.raises(AssertionError, match=text):
        from_http(aws_container_credentials_full_uri=f"https://{ELSEWHERE}/").fetch()
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{ELSEWHERE}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    with pytest.raises(AssertionError, match=text):
        from_instance_metadata().fetch()
    with pytest.raises(AssertionError, match=text):
        web_token(endpoint_url=f"https://{ELSEWHERE}").fetch()
    gc.collect()


class TimeLimitError(Exception):
    """What a signal handler raises to end a task."""


@pytest.fixture
def time_limit():
    """A function that lets the main thread run a signal handler, which raises."""

    def end(*_):
        raise TimeLimitError

    before = signal.signal(signal.SIGTERM, end)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


def test_a_time_limit_while_a_service_answers_is_raised(aws, time_limit):
    """What is raised while botocore sends is an error of the network to it, and tried again."""
    is_raised = threading.Event()

    def late(_):
        time_limit()
        is_raised.wait(5)
        return fakes.Answer(b"{}")

    aws.always("AssumeRoleWithWebIdentity", late)
    with pytest.raises(TimeLimitError):
        web_token().fetch()
    is_raised.set()
    assert len(aws.requests) == 1


@pytest.mark.usefixtures("aws")
def test_a_time_limit_while_an_answer_is_read_is_raised(time_limit):
    """It is raised from within botocore's parser, and says nothing of the answer."""
    web_token().fetch()  # what is done once for all fetches, coverage sees here

    def trace(frame, *_):
        if (frame.f_globals["__name__"], frame.f_code.co_name) == ("botocore.parsers", "parse"):
            sys.settrace(None)
            time_limit()

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(TimeLimitError):
            web_token().fetch()
    finally:
        sys.settrace(before)


def test_a_time_limit_of_a_kind_of_pythons_is_raised():
    """The errors of a process have classes that others raise, too."""

    def end(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGTERM, end)
    try:
        # It fills the pipe first, so that the signal comes while its output is read.
        process = "sh -c 'yes | head -c 100000; kill -TERM $PPID; sleep 5'"
        with pytest.raises(TimeoutError):
            from_process(credential_process=process).fetch()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_answer_that_cannot_be_parsed_is_a_fetch_error(world, aws):
    for operation, provider in {
        "AssumeRoleWithWebIdentity": web_token(),
        "GetCredentialsForIdentity": from_cognito_identity(identity_id=IDENTITY),
        "GetRoleCredentials": sso(world, aws),
    }.items():
        aws.always(operation, fakes.Answer(f'["{fakes.secret("answer")}"]'.encode()))
        with pytest.raises(FetchError, match="the answer of .* cannot be read: check that nothing"):
            provider.fetch()


KEYS = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": "t"}
#: A value at some place of an answer -> what an error must name; None: these are credentials.
ANSWERS = [
    *(({**KEYS, name: value}, name) for name in KEYS for value in (1, [], {}, True)),
    *(({**KEYS, name: ""}, name) for name in ("AccessKeyId", "SecretAccessKey")),
    *(({**KEYS, name: None}, name) for name in ("AccessKeyId", "SecretAccessKey")),
    *(({**KEYS, "SessionToken": value}, None) for value in (None, "")),
    *(({**KEYS, "Expiration": value}, "Expiration") for value in ([], {}, True, "soon", 1e300)),
    *(({**KEYS, "Expiration": value}, None) for value in (None, "", " ")),
    *(({**KEYS, "AccountId": value}, "AccountId") for value in ([], {}, True, 1.5, -1)),
    *(({**KEYS, "AccountId": value}, None) for value in (None, "", 12345, "000000012345")),
    *((value, "it is not an object") for value in (None, 1, [], "text", True)),
]


def outcome(provider):
    """Return credentials, or the reason why there are none."""
    try:
        return provider.fetch()
    except FetchError as error:
        return error.reason


@pytest.mark.usefixtures("aws")
def test_what_a_process_or_endpoint_answers_is_read_by_field(world, aws):
    printed, wrong = world / "printed", []
    process = from_process(credential_process=f"cat {printed}")
    endpoint = from_http(aws_container_credentials_full_uri=aws.url)
    for answer, named in ANSWERS:
        with_version = {"Version": 1, **answer} if isinstance(answer, dict) else answer
        printed.write_text(json.dumps(with_version))
        aws.always("GET", fakes.Answer(json.dumps(answer).encode()))
        for provider in (process, endpoint):
            found = outcome(provider)
            if named not in found if named else not isinstance(found, FrozenCredentials):
                wrong.append((provider, answer, found))
    assert not wrong


def test_what_a_function_returns_is_read_by_field():
    wrong = []
    for answer, named in ANSWERS:
        for wrapped in (answer, {"Credentials": answer}):
            assumer = from_web_token(
                role_arn=ROLE,
                web_identity_token=fakes.secret("token"),
                role_assumer_with_web_identity=lambda _, it=wrapped: it,
            )
            found = outcome(assumer)
            name = named
            if named == "it is not an object":
                name = "Credentials is " if wrapped is not answer else "neither FrozenCredentials"
            if name not in found if name else not isinstance(found, FrozenCredentials):
                wrong.append((wrapped, found))
    assert not wrong


def test_a_number_is_taken_for_the_account_that_it_is():
    for account in (12345, "000000012345"):
        found = FrozenCredentials.from_mapping({**KEYS, "AccountId": account, "Expiration": ""})
        assert (found.account_id, found.expiration) == ("000000012345", None)


def test_what_names_the_role_session_may_be_anything():
    for user in (None, "", 1, [], {}, {"Arn": None}, {"Arn": 1}, {"Arn": []}, {"Arn": "arn:aws:x"}):
        assert (
            FrozenCredentials.from_sts({"Credentials": KEYS, "AssumedRoleUser": user}).account_id
            is None
        )


def test_empty_credentials_are_a_fetch_error():
    class Empty(Credentials):
        def get_frozen_credentials(self):
            return None

    for found, text in (
        (Empty("A", "s"), "Empty.get_frozen_credentials() returned None"),
        (Credentials(None, None), "AccessKeyId is missing"),
    ):
        master = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=found)
        for provider in (create_credential_chain(lambda it=found: it), master):
            assert text in outcome(provider)


def test_answer_of_a_stubbed_client_is_checked(aws):
    """A client of the caller's own may be stubbed, by a handler that answers in its place."""
    for answer, text in {
        None: "is NoneType, not an object: check the client",
        1: "is int, not an object: check the client",
    }.items():
        client = botocore.session.Session().create_client(
            "cognito-identity", "us-east-1", config=Config(signature_version=UNSIGNED)
        )
        client.get_credentials_for_identity = lambda it=answer, **_: it
        with pytest.raises(FetchError, match=text):
            from_cognito_identity(identity_id=IDENTITY, client=client).fetch()
    assert not aws.requests


def test_what_identity_center_answers_is_read_by_field(world, aws):
    good = {"accessKeyId": "AKIA", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4e12}
    for changed, text in (
        ({"accessKeyId": 1}, "has no usable credentials (AccessKeyId is not a string)"),
        (
            {"expiration": None},
            "credentials (expiration is not a number of milliseconds)",
        ),
        ({"expiration": 1e300}, "has no usable credentials (Expiration is not a time)"),
    ):
        body = json.dumps({"roleCredentials": good | changed}).encode()
        aws.always("GetRoleCredentials", fakes.Answer(body))
        assert text in outcome(sso(world, aws))


@pytest.fixture
def over_tls(aws, tmp_path):
    """Let the loopback AWS speak TLS; give its address and the certificate of its authority."""
    trusted, chain = certificates.write(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    aws.server.socket = context.wrap_socket(aws.server.socket, server_side=True)
    return f"https://localhost:{aws.port}/", trusted


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_endpoint_uses_the_ca_bundle_of_the_session(over_tls, monkeypatch):
    url, trusted = over_tls
    slow = {"timeout": 10.0, "max_retries": 0}
    provider = from_http(aws_container_credentials_full_uri=url, **slow)
    assert "no TLS certificate that is trusted" in outcome(provider)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    assert isinstance(outcome(provider), FrozenCredentials)
    session = botocore.session.Session()
    session.set_config_variable("ca_bundle", value=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert isinstance(outcome(provider.bind(Scope(session))), FrozenCredentials)


def test_a_ca_bundle_that_cannot_be_read_is_named(over_tls, monkeypatch, tmp_path):
    url, _ = over_tls
    empty = tmp_path / "empty"
    empty.write_text("")
    provider = from_http(aws_container_credentials_full_uri=url, timeout=10.0, max_retries=0)
    for path, why in {
        "/nowhere": "No such file or directory",
        empty: "it has no certificate",
    }.items():
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        assert f"the CA bundle {path} cannot be read ({why}): correct" in outcome(provider)


@pytest.mark.parametrize("given", ["AWS_CA_BUNDLE", "verify"])
def test_a_ca_bundle_of_a_client_is_named(given, over_tls, monkeypatch):
    """Also where `client_config` names it."""
    url, _ = over_tls
    config = {"endpoint_url": url}
    if given == "verify":
        config["verify"] = "/nowhere"
    else:
        monkeypatch.setenv(given, "/nowhere")
    cognito = from_cognito_identity(identity_id=IDENTITY, client_config=config)
    for provider in (web_token(**config), cognito):
        text = "the CA bundle /nowhere cannot be read (No such file or directory): correct"
        assert text in outcome(provider)
