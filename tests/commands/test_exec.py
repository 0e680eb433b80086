"""``botocore-ext exec``: other programs, with credentials from an endpoint on this machine."""

import http.client
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from urllib.parse import urlsplit

import pytest

from botocore_ext import FrozenCredentials, NotConfigured
from botocore_ext.__main__ import main
from botocore_ext.commands import child, endpoint
from tests import fakes
from tests.commands.test_awscli import PROGRAMS
from tests.commands.test_export import WHY_NODE_CANNOT
from tests.tools.parity import record

CONFIG = """
[default]
region = eu-central-1
credential_process = echo wrong
endpoint_url = http://127.0.0.1:9

[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN
region = eu-west-3
retry_mode = standard
user_agent_extra = on
  two lines
services = mine
s3 =
    addressing_style = path

[services mine]
sts =
    endpoint_url = ENDPOINT

[profile nothing]
region = eu-west-1
"""
STATIC = """
[default]
aws_access_key_id = AKIAWRONG
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY

[long-term]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
aws_account_id = 123456789012
"""
#: What would win over the endpoint in one SDK or another.
WRONG = {
    "AWS_ACCESS_KEY_ID": "AKIAWRONG",
    "AWS_BEARER_TOKEN_BEDROCK": "wrong",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/wrong",
    "AWS_DEFAULT_PROFILE": "wrong",
    "AWS_PROFILE": "default",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Wrong",
    "AWS_SECRET_ACCESS_KEY": "wrong",
    "AWS_SESSION_TOKEN": "wrong",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/wrong",
}
BOTO3 = """
import boto3
session = boto3.Session()
session.client("sts").get_caller_identity()
print(session.get_credentials().method)
"""
REPORT = """
import json, os, pathlib
names = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
files = {name: pathlib.Path(os.environ[name]) for name in names if name in os.environ}
print(json.dumps({
    "environment": {**os.environ},
    "files": {name: [file.read_text(), file.stat().st_mode] for name, file in files.items()},
}))
"""


@pytest.fixture(autouse=True)
def _profiles(config, aws, monkeypatch):
    config(CONFIG.replace("ENDPOINT", aws.url), STATIC)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _heard():
    """Let signals be heard that a script or nohup, in which the tests may run, ignores."""
    heard = {signal.SIGHUP: signal.SIG_DFL, signal.SIGTERM: signal.SIG_DFL}
    heard[signal.SIGINT] = signal.default_int_handler
    before = {number: signal.signal(number, handler) for number, handler in heard.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(capfd):
    """Return a function that runs Python code under exec and returns what it prints."""

    def run(code, profile="web", status=0):
        assert main(["exec", profile, "--", sys.executable, "-c", code]) == status
        output = capfd.readouterr()
        assert output.err == ""
        return output.out

    return run


def signer(aws):
    """Return the access key of the last request."""
    headers = {name.title(): value for name, value in aws.requests[-1].headers.items()}
    assert "X-Amz-Security-Token" in headers
    return headers["Authorization"].partition("Credential=")[2].partition("/")[0]


# What a program gets.


@pytest.mark.caller_signs
def test_plain_boto3_signs_as_the_profile(run, aws, monkeypatch):
    """Whatever the variables and [default] in the files say, and also without our region."""
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    assert run(BOTO3) == "container-role\n"
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]
    assert signer(aws) == aws.requests[0].gave


@pytest.mark.caller_signs
def test_program_gets_new_credentials_when_they_expire(run, aws):
    aws.lifetime = 4
    call = "client.get_caller_identity()"
    run(f"import boto3, time\nclient = boto3.client('sts')\n{call}\ntime.sleep(4)\n{call}\n")
    given = [one.gave for one in aws.requests if one.operation == "AssumeRoleWithWebIdentity"]
    signers = [
        next(key for key in given if key in one.headers["Authorization"])
        for one in aws.requests
        if one.operation == "GetCallerIdentity"
    ]
    first, second = signers
    assert first != second


def test_nothing_else_gives_the_program_credentials(run, monkeypatch):
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    report = json.loads(run(REPORT))
    environment, files = report["environment"], report["files"]
    assert not (WRONG.keys() & environment.keys())
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["BOTO_CONFIG"] == os.devnull
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-3"
    token, mode = files["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    assert token == environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    assert len(token) == 43
    assert stat.S_IMODE(mode) == 0o600
    assert files["AWS_SHARED_CREDENTIALS_FILE"][0] == ""
    assert not os.path.exists(environment["AWS_CONFIG_FILE"])  # noqa: PTH110 - deleted at the end


def test_program_gets_the_other_settings_of_the_profile(run, aws):
    files = json.loads(run(REPORT))["files"]
    assert files["AWS_CONFIG_FILE"][0] == (
        "[default]\nregion = eu-west-3\nretry_mode = standard\n"
        "s3 =\n  addressing_style = path\nservices = mine\nuser_agent_extra = on\n  two lines\n"
        f"[services mine]\nsts =\n  endpoint_url = {aws.url}\n"
    )


def test_region_of_the_environment_stays(run, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert json.loads(run(REPORT))["environment"]["AWS_REGION"] == "eu-north-1"


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "127.0.0.1"), ("corp.example", "corp.example,127.0.0.1"), ("*", "*")],
)
def test_no_proxy_gets_the_token(run, monkeypatch, before, after):
    monkeypatch.setenv("no_proxy", before)
    assert json.loads(run(REPORT))["environment"]["no_proxy"] == after


def test_long_term_credentials_are_variables(run):
    """They never change, and an endpoint must return a session token, which they have not."""
    environment = json.loads(run(REPORT, "long-term"))["environment"]
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIALONGTERM"
    assert environment["AWS_SECRET_ACCESS_KEY"] == "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert environment["AWS_ACCOUNT_ID"] == "123456789012"
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in environment
    assert "AWS_REGION" not in environment


# How it starts and ends.


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 143)],
)
def test_exit_status_is_that_of_the_program(run, code, status):
    assert run(code, status=status) == ""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_program_gets_the_signals(run, name):
    code = f"""
import os, signal, time
def handle(number, _):
    print(signal.Signals(number).name)
    raise SystemExit(3)
signal.signal(signal.{name}, handle)
os.kill(os.getppid(), signal.{name})
time.sleep(30)
"""
    assert run(code, status=3) == f"{name}\n"


def test_signal_before_the_program_starts_is_kept(mocker, capfd):
    """It is sent as soon as the program runs."""
    start = subprocess.Popen

    def started(*args, **kwargs):
        os.kill(os.getpid(), 15)
        return start(*args, **kwargs)

    mocker.patch.object(subprocess, "Popen", started)
    assert child.run_child([sys.executable, "-c", "import time; time.sleep(30)"], os.environ) == 143


@pytest.fixture
def handlers():
    """Put back the handlers of signals that a test changes."""
    numbers = (signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert {number: signal.getsignal(number) for number in numbers} == before


def start(code):
    return child.run_child([sys.executable, "-c", code], os.environ)


def test_signal_that_a_thread_gets_is_passed_on(handlers):
    """The system may give it to any thread, such as one of the endpoint."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(60,))
    thread.start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in this thread, and the program
    code = (
        "import os, signal, time; signal.pthread_sigmask(signal.SIG_SETMASK, ()); "
        "os.kill(os.getppid(), signal.SIGTERM); time.sleep(20)"
    )
    try:
        assert start(code) == 143
    finally:
        end.set()
        thread.join()


def test_ignored_signals_stay_ignored(monkeypatch):
    """As for ``nohup botocore-ext exec``. An ignored SIGCHLD would hide the exit status."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGCHLD)
    }
    try:
        code = "import signal; raise SystemExit(7 if signal.getsignal(1) == 1 else 8)"
        assert start(code) == 7
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


#: Makes a terminal its own, and then becomes the command.
ON_TERMINAL = """
import os, sys
os.open(sys.argv[1], os.O_RDWR)
os.execv(sys.executable, [sys.executable, "-m", "botocore_ext", *sys.argv[2:]])
"""
COUNTS = """
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
while not seen:
    time.sleep(0.01)
print("interrupted", flush=True)
time.sleep(0.5)
print(len(seen))
"""


def test_terminal_interrupts_the_program_once():
    """The terminal sends the signal to both; exec gets it later, else two would look like one."""
    ours, its = pty.openpty()
    command = [sys.executable, "-c", ON_TERMINAL, os.ttyname(its), "exec", "long-term", "--"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", COUNTS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        os.write(ours, b"\x03")
        assert process.stdout.readline() == "interrupted\n"
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=60) == ("1\n", "")
    assert process.returncode == 0
    os.close(its)
    os.close(ours)


@pytest.mark.skipif(
    os.getsid(0) == os.getpid(),
    reason="pytest leads a session, so a terminal that it opens would be its own",
)
def test_terminal_of_another_process_sends_nothing(tmp_path):
    ours, its = pty.openpty()
    assert not child.is_in_foreground(os.ttyname(its))
    assert not child.is_in_foreground(str(tmp_path / "absent"))
    os.close(its)
    os.close(ours)


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("nothing", "no credentials were found for profile 'nothing': run botocore-ext explain"),
        ("absent", "The config profile (absent) could not be found"),
    ],
)
def test_without_credentials_the_program_is_not_started(profile, reason, capfd, tmp_path):
    evil = tmp_path / "started"
    assert main(["exec", profile, "--", "touch", str(evil)]) == 1
    assert reason in capfd.readouterr().err
    assert not evil.exists()


def test_refused_credentials_are_the_reason(aws, capfd, tmp_path):
    aws.always("AssumeRoleWithWebIdentity", fakes.error("AccessDenied", 403))
    assert main(["exec", "web", "--", "touch", str(tmp_path / "started")]) == 1
    assert "An error occurred (AccessDenied)" in capfd.readouterr().err
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("program", "status", "reason"),
    [
        ("no-such-program", 127, "No such file or directory"),
        ("/", 126, "Permission denied"),
        (__file__, 126, "Permission denied"),
    ],
)
def test_program_that_cannot_start_ends_as_in_a_shell(program, status, reason, capfd):
    """With the exit status of a shell for what it does not find, or may not run."""
    assert main(["exec", "web", "--", program]) == status
    assert capfd.readouterr().err == f"botocore-ext: {program} could not be started: {reason}\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["exec", "web"], "exec needs a program after --"),
        (["exec", "web", "--"], "exec needs a program after --"),
        (["list", "--", "true"], "list takes no program after --"),
        (["list", "web"], "unrecognized arguments: web"),
        (["run", "a.py"], "unrecognized arguments: a.py: write -- before the program"),
        (["exec", "web", "a", "b"], "unrecognized arguments: a b: write -- before the program"),
        (
            ["exec", "--profile", "web", "a"],
            "the profile is named twice: name it once, and write -- before a program",
        ),
    ],
)
def test_program_follows_two_hyphens(arguments, reason, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {reason}\n")


# The endpoint.


class Endpoint:
    """An endpoint, and what asks it."""

    def __init__(self):
        self.token = fakes.secret("authorization")
        self.credentials = FrozenCredentials("AKIA", fakes.secret("key"), fakes.secret("session"))
        self.error = None

    def fetch(self):
        if self.error is not None:
            raise self.error
        return self.credentials

    def ask(self, url, path=None, **headers):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        given = {"Authorization": self.token, **headers}
        connection.request("GET", path or parts.path, headers=given)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer


@pytest.fixture
def server():
    server = Endpoint()
    with endpoint.serve(server.fetch, server.token) as url:
        server.url = url
        yield server


def test_answer_has_what_sdks_read(server):
    end = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=9)))
    server.credentials = FrozenCredentials("AKIA", "secret", "token", end, "123456789012")
    assert server.ask(server.url) == (
        200,
        {
            "AccessKeyId": "AKIA",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2030-01-01T18:04:05Z",
            "AccountId": "123456789012",
        },
    )


def test_unknown_expiration_is_in_an_hour(server):
    """SDKs refuse an answer without one, and ask again later."""
    answer = server.ask(server.url)[1]
    end = datetime.strptime(answer["Expiration"], "%Y-%m-%dT%H:%M:%S%z")
    assert 3590 < (end - datetime.now(timezone.utc)).total_seconds() <= 3600
    assert "AccountId" not in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "null", "Authorization": "wrong"}, 403),
        ({"Authorization": "wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "t\N{LATIN SMALL LETTER O WITH DIAERESIS}ken"}, 401),
        ({"path": "/"}, 404),
    ],
)
def test_request_of_others_gets_nothing(server, headers, status):
    answered, answer = server.ask(server.url, **headers)
    assert answered == status
    assert sorted(answer) == ["Code", "Message"]
    assert not [one for one in fakes.SECRETS if one in str(answer)]


def test_failed_refresh_is_said_to_the_program(server):
    server.error = NotConfigured(provider="custom-http", error_msg="nothing here")
    status, answer = server.ask(server.url)
    assert (status, answer["Code"]) == (500, "NotConfigured")
    assert "nothing here" in answer["Message"]


def test_any_other_error_is_said_by_its_name(server):
    """Without an answer, an SDK would ask again and again. The text may hold a secret."""
    server.error = KeyError(fakes.secret())
    status, answer = server.ask(server.url)
    assert (status, answer) == (500, {"Code": "KeyError", "Message": "KeyError"})


def test_slow_client_keeps_no_other_waiting(server):
    parts = urlsplit(server.url)
    with fakes.socket.create_connection((parts.hostname, parts.port)) as slow:
        slow.sendall(b"GET /credentials HTTP/1.1\r\n")
        assert server.ask(server.url)[0] == 200


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /" + 70000 * "a", 414),
        ("GET /credentials HTTP/1.1\r\nX: " + 70000 * "a", 431),
        ("GET /credentials HTTP/1.1\r\n" + 200 * "X: a\r\n", 431),
        ("POST /credentials HTTP/1.1\r\nContent-Length: 99999999", 501),
    ],
)
def test_request_that_is_not_small_is_refused(server, request_line, status):
    parts = urlsplit(server.url)
    with fakes.socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(f"{request_line}\r\n\r\n".encode())
        assert int(client.recv(12).split()[1]) == status


def test_many_programs_ask_at_once(server):
    """With the second that SDKs give a connection."""
    parts, count = urlsplit(server.url), 60
    clients = [fakes.socket.socket() for _ in range(count)]
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {server.token}"
    try:
        for client in clients:
            client.settimeout(1)
            client.connect((parts.hostname, parts.port))
        for client in clients:
            client.settimeout(10)
            client.sendall(f"{request}\r\n\r\n".encode())
        assert {client.recv(12) for client in clients} == {b"HTTP/1.0 200"}
    finally:
        for client in clients:
            client.close()


SERVES = """
import time
from botocore_ext.commands.endpoint import serve
with serve(None, "token") as url:
    print(url, flush=True)
    time.sleep(60)
"""


def test_busy_endpoint_keeps_hundreds_of_connections_waiting():
    """The system would try those beyond its queue again after a second, which is too late."""
    command = [sys.executable, "-c", SERVES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            parts = urlsplit(process.stdout.readline().strip())
            process.send_signal(signal.SIGSTOP)
            for _ in range(400):
                fakes.socket.create_connection((parts.hostname, parts.port), timeout=0.9).close()
        finally:
            process.kill()


def test_strangers_do_not_keep_the_program_waiting(server):
    """Each connection takes a thread and a file: those of another user must not take them all."""
    parts = urlsplit(server.url)
    address = (parts.hostname, parts.port)
    strangers = [fakes.socket.create_connection(address, timeout=5) for _ in range(300)]
    try:
        assert server.ask(server.url)[0] == 200
        assert [one.recv(1) for one in (strangers[0], strangers[150])] == [b"", b""]
    finally:
        for one in strangers:
            one.close()


def test_program_that_ends_waits_for_no_refresh(server):
    began, end = threading.Event(), threading.Event()

    def fetch():
        began.set()
        end.wait(60)
        raise NotConfigured(provider="custom-http", error_msg="too late")

    with endpoint.serve(fetch, server.token) as url:
        asks = threading.Thread(target=lambda: server.ask(url))
        asks.start()
        assert began.wait(10)
        left = time.monotonic()
    assert time.monotonic() - left < 30
    end.set()
    asks.join()


def test_endpoint_is_on_this_machine_only_and_ends(server):
    assert urlsplit(server.url).hostname == "127.0.0.1"
    with endpoint.serve(server.fetch, "token") as url:
        assert url != server.url
    with pytest.raises(ConnectionRefusedError):
        server.ask(url)


def test_client_that_goes_away_is_not_reported(server, capfd):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.connect()
    connection.sock.sendall(b"GET /credentials HTTP/1.0\r\n")
    connection.sock.setsockopt(fakes.socket.SOL_SOCKET, fakes.socket.SO_LINGER, b"\1" + b"\0" * 7)
    connection.close()
    assert server.ask(server.url)[0] == 200
    assert capfd.readouterr() == ("", "")


# Real programs.


def run_program(aws, *command):
    """Run a program under exec, which must sign its request as the profile."""
    assert main(["exec", "web", "--", *command]) == 0
    assert aws.requests[0].gave
    assert signer(aws) == aws.requests[0].gave


@pytest.mark.parametrize("program", PROGRAMS)
def test_aws_cli_signs_as_the_profile(program, aws):
    if shutil.which(program) is None:
        pytest.skip(f"there is no AWS CLI ({program}): name some in BOTOCORE_EXT_AWS")
    run_program(aws, program, "sts", "get-caller-identity")


NODE = """
const { createRequire } = require("node:module");
const load = createRequire(process.argv[1] + "/package.json");
const { fromNodeProviderChain } = load("@aws-sdk/credential-providers");
fromNodeProviderChain()().then((found) => console.log(found.accessKeyId, found.accountId));
"""


@pytest.mark.skipif(bool(WHY_NODE_CANNOT), reason=WHY_NODE_CANNOT)
def test_sdk_for_javascript_takes_the_profile(aws, capfd):
    assert main(["exec", "web", "--", "node", "-e", NODE, os.environ[record.VARIABLE]]) == 0
    assert capfd.readouterr().out.split()[0] == aws.requests[0].gave


@pytest.mark.skipif(find_spec("obstore") is None, reason="there is no obstore")
def test_obstore_signs_as_the_profile(aws, monkeypatch):
    """It is written in Rust, and reads the file of the token only."""
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    code = "from obstore.store import S3Store; S3Store('bucket').put('key', b'')"
    aws.always("PUT", fakes.Answer(headers={"ETag": '"1"'}))
    run_program(aws, sys.executable, "-c", code)


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="there is no pyarrow")
def test_pyarrow_signs_as_the_profile(aws):
    """It uses the SDK for C++."""
    host = urlsplit(aws.url).netloc
    code = (
        "from pyarrow.fs import FileSelector, S3FileSystem; "
        f"files = S3FileSystem(scheme='http', endpoint_override={host!r}); "
        "files.get_file_info(FileSelector('bucket', allow_not_found=True))"
    )
    empty = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    aws.always("GET", fakes.Answer(empty, headers={"Content-Type": "application/xml"}))
    run_program(aws, sys.executable, "-c", code)
