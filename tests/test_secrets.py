"""Where no secret may show, and whose log stays whole.

The fixture ``logs`` searches every record, error and command of the whole run; here it is seen that
it would find what it looks for.
"""

import gc
import json
import logging
import subprocess
import sys
import threading
from unittest import mock

import botocore.auth
import botocore.session
import pytest
from botocore.exceptions import ClientError, InvalidRegionError

from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Scope,
    from_cognito_identity_pool,
    from_env,
    from_http,
    from_ini,
    from_process,
    from_roles_anywhere,
    from_temporary_credentials,
    from_web_token,
)
from botocore_ext.aws.clients import problems_of
from botocore_ext.errors import Attempt, ChainError
from botocore_ext.providers.function import FunctionProvider
from botocore_ext.runtime import context
from botocore_ext.tokens import OAuthToken, TokenProcess

from . import fakes, searching, x509
from .tools.faults.place import Place
from .tools.faults.steps import ROLE, STEPS


class Kept(logging.Handler):
    """Keeps what one thread logs, but for what differs between two calls."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.thread, self.records, self.texts = threading.get_ident(), [], []

    def emit(self, record):
        if record.thread == self.thread:
            self.records.append((record.name, record.levelname, record.funcName, record.msg))
            self.texts.append(record.getMessage())


def log_of(call):
    """Return what this thread logs while it makes a call."""
    records, root = Kept(), logging.getLogger()
    root.addHandler(records)
    try:
        call()
    finally:
        root.removeHandler(records)
    return records


@pytest.fixture
def user_client(aws):
    """A client of the user's with credentials of its own, and its connection open."""
    client = botocore.session.Session().create_client(
        "sts",
        region_name="eu-west-1",
        aws_access_key_id="AKIAOWN",
        aws_secret_access_key=fakes.secret("secret-key"),
        aws_session_token=fakes.secret("session-token"),
    )
    client.get_caller_identity()
    return client


@pytest.fixture
def place(world):
    found = Place(world, "it", 5)
    yield found
    found.aws.close()


@pytest.mark.caller_signs
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_concurrent_user_call_is_logged_in_full(step, user_client, place):
    alone = log_of(user_client.get_caller_identity)
    credentials = step.build(place).load()
    inside, done = threading.Event(), threading.Event()

    def hold(_):
        inside.set()
        done.wait(30)

    place.aws.script(step.operation, hold)
    thread = threading.Thread(target=credentials.get_frozen_credentials)
    thread.start()
    try:
        assert inside.wait(30)
        together = log_of(user_client.get_caller_identity)
    finally:
        done.set()
        thread.join()
    assert together.records == alone.records
    assert "GetCallerIdentityResponse" in "".join(together.texts)
    assert searching.shown(together.texts) == searching.shown(alone.texts)


@pytest.mark.caller_signs
def test_call_of_a_token_callable_is_logged_in_full(user_client):
    """Only the inner call is left out of the logs, not what the user does before it."""
    alone, within = log_of(user_client.get_caller_identity), []

    def token():
        within.append(log_of(user_client.get_caller_identity))
        return fakes.secret("token")

    from_web_token(role_arn=ROLE, web_identity_token=token).fetch()
    assert [one.records for one in within] == [alone.records]


@pytest.mark.usefixtures("aws")
def test_calls_after_an_inner_call_are_logged():
    logger = logging.getLogger("botocore.endpoint")
    from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token")).fetch()
    assert log_of(lambda: logger.debug("mine")).texts == ["mine"]


def test_signature_of_an_inner_call_is_not_logged(aws, monkeypatch):
    """Where the AWS Common Runtime is not installed botocore signs, and logs what, itself."""
    monkeypatch.setitem(botocore.auth.AUTH_TYPE_MAPS, "v4", botocore.auth.SigV4Auth)
    master = from_http(aws_container_credentials_full_uri=aws.url)
    from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master).fetch()
    assert aws.requests[-1].headers["X-Amz-Security-Token"]


@pytest.mark.usefixtures("aws")
def test_any_number_of_inner_calls_make_one_filter():
    for _ in range(2):
        from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token")).fetch()
        for logger in context._LOGGERS:
            assert logger.filters == [context._may_log.get]


@pytest.mark.parametrize("is_error", [False, True])
def test_an_unknown_error_answer_is_not_shown(aws, is_error):
    """If an answer is not JSON, botocore takes all of it for the text of the error."""
    shown = "not an error of the service: check the endpoint"
    answer = fakes.Answer(fakes.secret("answer").encode(), status=403)
    if is_error:
        answer, shown = fakes.error("AccessDenied", 403), "as the test wants it"
    aws.always("GetId", answer)
    with pytest.raises(ClientError, match=shown):
        from_cognito_identity_pool(identity_pool_id="us-east-1:pool").fetch()


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("begins", ["x, type ", "x, type y\n"])
def test_value_with_a_delimiter_is_hidden_as_a_whole(kind, begins):
    given = {"RoleArn": ROLE, "RoleSessionName": "me", "TokenCode": kind([begins + fakes.secret()])}
    text = problems_of(botocore.session.Session(), "sts", "AssumeRole", given)
    assert not searching.shown([text])


def test_a_value_of_few_characters_does_not_tear_the_text():
    given = {"RoleArn": ROLE, "RoleSessionName": "a"}
    text = problems_of(botocore.session.Session(), "sts", "AssumeRole", given)
    assert "Invalid length for parameter RoleSessionName" in text


@pytest.mark.usefixtures("aws")
def test_no_shared_client_is_found_by_the_environment(monkeypatch):
    """All of it, secrets included, would be in every dump of the memory of the process."""
    monkeypatch.setenv("DATABASE_PASSWORD", password := fakes.secret("password"))
    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    assert provider.fetch()  # and it lives: with it goes the client
    sets = [one for one in gc.get_objects() if type(one) is frozenset]
    assert not [one for one in sets if ("DATABASE_PASSWORD", password) in one]


def test_process_gets_only_the_words_of_its_command(world, aws, commands):
    command = fakes.keys_command(world, f"{aws.url}/keys")
    from_process(credential_process=command).fetch()
    assert commands == [str(command.split())]


# That the search would find it.


@pytest.mark.users_own("log")
def test_a_record_of_any_level_and_logger_is_searched(logs):
    levels = [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR]
    for name in ("botocore_ext.it", "botocore.auth", "botocore.utils", "theirs"):
        for level in levels:
            logging.getLogger(name).log(level, "it is %s", secret := fakes.secret())
            assert secret in searching.shown(logs), (name, level)


@pytest.mark.users_own("log")
def test_a_traceback_in_a_record_is_searched(logs):
    logging.getLogger("botocore_ext").error("it", exc_info=LookupError(fakes.secret()))
    assert len(searching.shown(logs)) == 1


@pytest.mark.parametrize("name", ["botocore.auth", "botocore.endpoint", "botocore.parsers"])
def test_a_callers_own_request_alone_is_left_out(name):
    with searching.Records() as records:
        records.caller_signs = True
        logging.getLogger(name).debug("own")
        logging.getLogger("botocore.utils").debug("ours")
        logging.getLogger("botocore_ext").debug("ours")
    assert records.texts == ["ours", "ours"]


def chained(kind):
    """Return an error with a secret in its cause, in its context, or in its arguments."""
    error = FetchError(provider="it", error_msg="fails")
    if kind == "arguments":
        return LookupError("it", fakes.secret())
    hidden = ValueError(fakes.secret())
    setattr(error, f"__{kind}__", hidden)
    return error


@pytest.mark.users_own("error")
@pytest.mark.parametrize("kind", ["cause", "context", "arguments"])
def test_an_error_is_searched_with_its_causes(kind):
    with searching.Errors() as errors:
        error = chained(kind)
        with pytest.raises(type(error)):
            raise error
    assert len(searching.shown(errors.texts)) == 1


@pytest.mark.users_own("error")
def test_unseen_errors_are_searched_for_secrets():
    with searching.Errors() as errors:
        attempt = Attempt("link", fakes.secret())
        assert ChainError(provider="it", attempts=[attempt])
    assert len(searching.shown(errors.texts)) == 1


@pytest.mark.users_own("error")
def test_refresh_errors_are_searched_for_secrets(clock):
    source = [FrozenCredentials("AKIA", "secret", None, clock.at(3600)), None]
    provider = FunctionProvider(function=lambda: source.pop(0) or fail())

    def fail():
        raise LookupError(fakes.secret())

    credentials = provider.bind(Scope(clock=clock)).load()
    credentials.get_frozen_credentials()
    clock.advance(3500)
    with searching.Errors() as errors:
        assert credentials.get_frozen_credentials().access_key == "AKIA"
    assert len(searching.shown(errors.texts)) == 1


@pytest.mark.users_own("command")
def test_the_arguments_of_a_child_are_searched(commands):
    secret = fakes.secret()
    subprocess.run([sys.executable, "-c", "pass", secret], check=True)
    assert searching.shown(commands) == {secret}


def test_variables_of_a_traceback_show_no_credentials(clock, monkeypatch):
    """Those of a refused refresh, of malformed credentials, and of a whole environment."""
    good = FrozenCredentials("A", fakes.secret("key"), None, clock.at(3600))
    function = mock.Mock(side_effect=[good, ConfigurationError(provider="p", error_msg="no")])
    credentials = FunctionProvider(function=function).bind(Scope(clock=clock)).load()
    clock.advance(3590)
    malformed = {"AccessKeyId": "A", "Secret": fakes.secret("key")}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret("key"))
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2000-01-01T00:00:00Z")
    for work in (
        credentials.get_frozen_credentials,
        FunctionProvider(function=lambda: malformed).fetch,
        from_env().fetch,
    ):
        with pytest.raises((ConfigurationError, FetchError)) as raised:
            work()
        variables = searching.variables_of(raised.value)
        assert variables
        assert not searching.shown(variables), work


def failing_command(home):
    """Return a command with a secret argument, which it prints before it fails."""
    (home / "fail.py").write_text("import sys; print(sys.argv[1]); sys.exit(1)", encoding="utf-8")
    return f"{sys.executable} {home / 'fail.py'} {fakes.secret('argument')}"


def failing_process(aws, home):
    return from_process(credential_process=failing_command(home)).fetch


def failing_token_process(aws, home):
    return TokenProcess(failing_command(home))


def refusing_endpoint(aws, home):
    aws.always("GET", fakes.Answer(status=403))
    address = f"{aws.url}/{fakes.secret('path')}"
    return from_http(aws_container_credentials_full_uri=address).fetch


def refusing_issuer(aws, home):
    aws.always("GetToken", fakes.Answer(b'{"error": "invalid_client"}', status=401))
    secret = fakes.secret("client-secret")
    token = OAuthToken(issuer=aws.url, client_id="app", client_secret=secret)
    return from_web_token(role_arn=ROLE, web_identity_token=token).fetch


def issuer_of_opaque_tokens(aws, home):
    opaque, refresh = fakes.secret("opaque"), fakes.secret("refresh-token")
    answer = {"access_token": opaque, "refresh_token": refresh, "token_type": "Bearer"}
    aws.always("GetToken", fakes.Answer(json.dumps(answer).encode()))
    return OAuthToken(issuer=aws.url, client_id="app", client_secret=fakes.secret("client-secret"))


def key_with_another_passphrase(aws, home):
    certificate, key = home / "server.pem", x509.ec_key()
    certificate.write_bytes(x509.pem(x509.issue("server", key)))
    (home / "server.key").write_bytes(x509.pem_of(key, fakes.secret("passphrase")))
    arn = "arn:aws:rolesanywhere:us-east-1:123456789012"
    provider = from_roles_anywhere(
        trust_anchor_arn=f"{arn}:trust-anchor/TA",
        profile_arn=f"{arn}:profile/P",
        role_arn=ROLE,
        certificate=str(certificate),
        private_key=str(home / "server.key"),
        passphrase=fakes.secret("passphrase"),
    )
    return provider.bind(Scope(clock=fakes.FakeClock())).fetch


def role_without_a_region(aws, home):
    master = FrozenCredentials("AKIAMASTER", fakes.secret("key"), fakes.secret("token"))
    config = {"region_name": "no region"}
    role = {"RoleArn": ROLE}
    return from_temporary_credentials(
        params=role, master_credentials=master, client_config=config
    ).fetch


@pytest.mark.users_own("command")
@pytest.mark.parametrize(
    "case",
    [
        failing_process,
        failing_token_process,
        refusing_endpoint,
        refusing_issuer,
        issuer_of_opaque_tokens,
        key_with_another_passphrase,
        role_without_a_region,
    ],
)
def test_variables_of_a_traceback_show_no_secrets(case, aws, world):
    """Of a source that fails: its address and command, what it got, and what it answered."""
    with pytest.raises((ConfigurationError, FetchError, InvalidRegionError)) as raised:
        case(aws, world)()
    variables = searching.variables_of(raised.value)
    assert variables
    assert not searching.shown(variables)


@pytest.mark.parametrize(
    "settings",
    [
        "cognito_identity_pool_id = us-east-1:pool\ncontainer_credentials_relative_uri = /",
        f"role_arn = {ROLE}\nweb_identity_token = env://AWS_SESSION_TOKEN\nregion = no region",
        f"role_arn = {ROLE}\nweb_identity_token = env://AWS_SESSION_TOKEN\nduration_seconds = x",
        f"role_arn = {ROLE}\ncredential_source = CustomHttp\ncontainer_credentials_full_uri = ftp:",
        "credential_chain = Unknown",
    ],
)
def test_variables_of_a_mistake_show_no_credentials(settings, config, monkeypatch):
    """Those in the same profile, and in the environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret("key"))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    config(f"[profile p]\n{settings}\naws_secret_access_key = {fakes.secret('key')}\n")
    with pytest.raises((ConfigurationError, InvalidRegionError)) as raised:
        from_ini(profile="p").fetch()
    variables = searching.variables_of(raised.value)
    assert variables
    assert not searching.shown(variables)
