"""``botocore-ext export``: the credentials of a profile, for other programs."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import boto3
import pytest
from botocore.credentials import RefreshableCredentials

from botocore_ext.__main__ import main
from botocore_ext.commands import export
from tests import fakes
from tests.tools import tools_page
from tests.tools.parity import record

POOL = "cognito_identity_pool_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
EXPORT = f"{sys.executable} -m botocore_ext export"
PROFILES = f"""
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN

[profile mobile]
{POOL}

[profile for-others]
credential_process = {EXPORT} --profile web
region = eu-west-1

[profile both]
{POOL}
credential_process = {EXPORT} --profile both

[profile round]
credential_process = {EXPORT} --profile round

[profile there]
credential_process = {EXPORT} --profile back

[profile back]
credential_process = {EXPORT} --profile there

[profile nothing]
region = eu-west-1

[profile half]
web_identity_token = env://GOOGLE_TOKEN

[profile prints]
credential_process = echo secret-key-000000

[profile odd]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = secret-key-000000
aws_session_token = töken

[profile absent]
credential_process = no-such-program
"""
STATIC = """
[long-term]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
WHY_NODE_CANNOT = record.reason_not_selected(os.environ.get(record.VARIABLE))


@pytest.fixture(autouse=True)
def _profiles(config, monkeypatch):
    config(PROFILES, STATIC)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))
    monkeypatch.setenv(export.PROFILES, "")  # so that it is put back


@pytest.fixture
def exported(capsys):
    """Return a function that exports in this process and returns the output."""

    def exported(*arguments):
        status = main(["export", *arguments])
        output = capsys.readouterr()
        assert (status, output.err) == (0, "")
        return output.out

    return exported


def run(command, **given):
    """Run a program in a process of its own, with the environment of the test."""
    return subprocess.run(
        shlex.split(command) if isinstance(command, str) else command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **given,
    )


def gave(aws):
    """Return the access keys that were returned, in order."""
    return [one.gave for one in aws.requests if one.gave and one.operation != "GetCallerIdentity"]


def time_of(text):
    """Return the seconds since 1970 of a time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def refusal(done):
    """Return the one line that a failed command prints."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert not [one for one in fakes.SECRETS if one in line]
    assert line.startswith("botocore-ext: ")
    return line.removeprefix("botocore-ext: ")


def test_default_format_is_that_of_a_credential_process(exported, aws):
    text = exported("--profile", "web")
    keys = json.loads(text)
    assert list(keys) == [
        "Version",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AccountId",
    ]
    assert (keys["Version"], keys["AccountId"]) == (1, "123456789012")
    assert [keys["AccessKeyId"]] == gave(aws)
    left = time_of(keys["Expiration"]) - aws.now()
    assert 3499 < left <= 3600
    assert text == json.dumps(keys, indent=2) + "\n"


def test_unknown_members_are_left_out(exported):
    assert json.loads(exported("--profile", "long-term", "--format", "process")) == {
        "Version": 1,
        "AccessKeyId": "AKIALONGTERM",
        "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }


@pytest.mark.parametrize(("form", "before"), [("env", "export "), ("env-no-export", "")])
def test_shell_lines_match_aws_cli(exported, aws, form, before):
    lines = exported("--profile", "web", "--format", form).splitlines()
    names, values = zip(*(line.split("=", 1) for line in lines), strict=True)
    assert names == (
        f"{before}AWS_ACCESS_KEY_ID",
        f"{before}AWS_SECRET_ACCESS_KEY",
        f"{before}AWS_SESSION_TOKEN",
        f"{before}AWS_CREDENTIAL_EXPIRATION",
    )
    assert [values[0]] == gave(aws)
    assert values[1] in fakes.SECRETS
    assert values[2] in fakes.SECRETS
    assert time_of(values[3])


def test_values_of_aws_need_no_quotes(exported):
    assert exported("--profile", "long-term", "--format", "env") == (
        "export AWS_ACCESS_KEY_ID=AKIALONGTERM\n"
        "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
    )


def test_shell_runs_nothing_from_an_endpoint(exported, aws, config, tmp_path):
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}/keys")
    evil = f"'; touch {tmp_path}/evil; $(touch {tmp_path}/evil) `touch {tmp_path}/evil`"
    keys = {"AccessKeyId": "AKIA", "SecretAccessKey": evil}
    aws.script("GET", fakes.Answer(json.dumps(keys).encode()))
    lines = exported("--profile", "endpoint", "--format", "env")
    script = 'eval "$1"; printf %s "$AWS_SECRET_ACCESS_KEY"'
    assert run(["sh", "-c", script, "sh", lines]).stdout == evil
    assert not (tmp_path / "evil").exists()


#: What a shell could take for something else.
EVIL = "a'b\\\\'c $x `d` (e) & f \N{RIGHT SINGLE QUOTATION MARK}"


def secret_line(exported, aws, config, form, secret):
    """Return the line of a secret access key that an endpoint returns."""
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}/keys")
    keys = {"AccessKeyId": "AKIA", "SecretAccessKey": secret}
    aws.script("GET", fakes.Answer(json.dumps(keys).encode()))
    return exported("--profile", "endpoint", "--format", form).splitlines()[1]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("fish", "set -gx AWS_SECRET_ACCESS_KEY 'a\\'b\\\\\\\\\\'c $x `d` (e) & f \u2019'"),
        (
            "powershell",
            "$Env:AWS_SECRET_ACCESS_KEY = 'a''b\\\\''c $x `d` (e) & f \u2019\u2019'",
        ),
    ],
)
def test_shells_take_nothing_for_a_command(exported, aws, config, form, line):
    assert secret_line(exported, aws, config, form, EVIL) == line


def test_cmd_gets_values_in_quotes(exported, aws, config):
    line = secret_line(exported, aws, config, "windows-cmd", "a&b|c^d<e>(f)")
    assert line == 'set "AWS_SECRET_ACCESS_KEY=a&b|c^d<e>(f)"'


@pytest.mark.parametrize("character", ['"', "%", "!"])
def test_cmd_cannot_take_every_value(character, aws, config, capsys):
    """Which is refused, and not shown: no quoting of cmd is safe from these."""
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}/keys")
    keys = {"AccessKeyId": "AKIA", "SecretAccessKey": f"secret{character}"}
    aws.script("GET", fakes.Answer(json.dumps(keys).encode()))
    assert main(["export", "endpoint", "--format", "windows-cmd"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "AWS_SECRET_ACCESS_KEY contains a character that cmd would interpret" in output.err
    assert "secret" not in output.err


def test_json_has_all_members(exported, aws):
    keys = json.loads(exported("--profile", "mobile", "--format", "json"))
    assert [keys["AccessKeyId"]] == gave(aws)
    assert keys["IdentityId"] == "us-east-1:00000000-0000-0000-0000-000000000001"
    assert keys["AccountId"] is None
    assert sorted(keys) == [
        "AccessKeyId",
        "AccountId",
        "Expiration",
        "IdentityId",
        "SecretAccessKey",
        "SessionToken",
    ]


def test_expiration_is_in_utc(aws, monkeypatch):
    """As in AWS CLI, and not in the time zone of botocore's parser."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    done = run(f"{EXPORT} --profile mobile")
    end = json.loads(done.stdout)["Expiration"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", end)
    assert 3499 < time_of(end) - aws.now() <= 3600


def test_default_profile_is_that_of_the_environment(exported, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "long-term")
    assert "AKIALONGTERM" in exported()


def test_environment_wins_unless_a_profile_is_named(exported, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    assert "AKIAENVIRONMENT" in exported()
    monkeypatch.delenv(export.PROFILES)
    assert "AKIALONGTERM" in exported("--profile", "long-term")


def on_a_terminal(*arguments):
    """Export to a terminal, and return the status, the output and the errors."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "botocore_ext", "export", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(its)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # Linux: the other end of the terminal is closed
            pass
        os.close(ours)
        errors = process.stderr.read()
    return process.returncode, shown.decode().replace("\r\n", "\n"), errors


def test_terminal_gets_no_secret_and_no_fetch_is_made(aws):
    status, shown, errors = on_a_terminal("--profile", "web")
    assert (status, shown) == (1, "")
    assert errors == (
        "botocore-ext: the credentials are secret, and standard output is a terminal: redirect it, "
        "or add --show-secrets\n"
    )
    assert aws.requests == []


@pytest.mark.parametrize(("told", "status"), [([], 1), (["--show-secrets"], 0)])
def test_terminal_is_detected_in_process(told, status, aws, mocker, capsys):
    mocker.patch.object(sys.stdout, "isatty", return_value=True)
    assert main(["export", "--profile", "web", *told]) == status
    assert len(gave(aws)) == len(capsys.readouterr().out.splitlines()) // 8 == 1 - status


def test_show_secrets_prints_to_a_terminal(aws):
    status, shown, errors = on_a_terminal("--profile", "web", "--show-secrets")
    assert (status, errors) == (0, "")
    assert [json.loads(shown)["AccessKeyId"]] == gave(aws)


def test_refusal_of_sts_is_one_line(aws):
    """In a process, where a warning of a failed fetch would be a second line."""
    aws.script("AssumeRoleWithWebIdentity", fakes.error("AccessDenied", 403, "not\nyou"))
    line = refusal(run(f"{EXPORT} --profile web"))
    assert line == (
        "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: "
        r"not\nyou"
    )


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ("nowhere", "profile (nowhere) could not be found: botocore-ext list shows the profiles"),
        ("nothing", "no credentials were found for profile 'nothing': run botocore-ext explain to"),
        ("half", "role_arn is not set in profile 'half'"),
        ("prints", "the command failed with JSONDecodeError: run botocore-ext explain"),
        ("odd", "credentials of profile 'odd' cannot be used (SessionToken contains"),
        ("absent", "No such file or directory: 'no-such-program'"),
    ],
)
def test_error_is_one_line(capsys, profile, why):
    assert main(["export", "--profile", profile]) == 1
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert why in output.err
    assert "secret-key" not in output.err


def test_misspelled_setting_is_warned_of(config):
    config(f"[profile mobile]\n{POOL.replace('pool', 'poool')}")
    warning, error = run(f"{EXPORT} --profile mobile").stderr.splitlines()
    assert "did you mean cognito_identity_pool_id?" in warning
    assert "no credentials were found for profile 'mobile'" in error


def test_interrupt_shows_no_traceback(config, capsys):
    """By a process that fills its pipe first, so that it comes while the output is read."""
    token = "process://sh -c 'yes | head -c 100000; kill -INT $PPID; sleep 5'"
    role = "role_arn = arn:aws:iam::123456789012:role/Web"
    config(f"[profile p]\n{role}\nweb_identity_token = {token}\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["export", "--profile", "p"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "botocore-ext: interrupted\n"


@pytest.mark.proof
@pytest.mark.parametrize(
    ("profile", "way"),
    [("round", "round -> round"), ("there", "there -> back -> there")],
)
def test_profile_that_exports_itself_is_an_error(profile, way):
    line = refusal(run(f"{EXPORT} --profile {profile}"))
    assert f"is a loop ({way}): let it export another profile" in line
    assert line.count("is a loop") == 1


def test_profile_under_export_is_not_resolved_again(aws, monkeypatch, capsys):
    """As in a process that the export started."""
    monkeypatch.setenv(export.PROFILES, "mobile\nweb")
    assert main(["export", "--profile", "web"]) == 1
    assert "(mobile -> web -> web)" in capsys.readouterr().err
    assert aws.requests == []
    assert main(["export", "--profile", "both"]) == 0
    assert os.environ[export.PROFILES] == "mobile\nweb\nboth"


def test_profile_with_settings_may_export_itself(exported, aws):
    """Our settings win over the process, and programs without this package run it."""
    credentials = boto3.Session(profile_name="both").get_credentials()
    assert credentials.method == "custom-process"
    assert [credentials.access_key] == gave(aws)
    assert json.loads(exported("--profile", "both"))["AccessKeyId"] == gave(aws)[1]


@pytest.mark.caller_signs
def test_plain_boto3_gets_refreshing_credentials(aws):
    session = boto3.Session(profile_name="for-others")
    credentials = session.get_credentials()
    assert type(credentials) is RefreshableCredentials
    first = credentials.get_frozen_credentials()
    assert [first.access_key] == gave(aws)
    assert first.token in fakes.SECRETS
    assert first.account_id == "123456789012"
    session.client("sts").get_caller_identity()
    assert len(gave(aws)) == 1
    later = datetime.now(credentials._expiry_time.tzinfo) + timedelta(minutes=55)
    credentials._time_fetcher = lambda: later
    aws.lifetime = 7200
    second = credentials.get_frozen_credentials()
    assert [first.access_key, second.access_key] == gave(aws)


@pytest.mark.parametrize(("command", "printed"), tools_page.commands("botocore-ext"))
def test_page_shows_the_output(command, printed, config, aws, capsys):
    config(tools_page.PROFILES, "\n")
    aws.always("GetCredentialsForIdentity", tools_page.keys)
    _, *arguments = shlex.split(command)
    main(arguments)
    shown = "".join(capsys.readouterr())
    assert tools_page.without_times(shown) == tools_page.without_times(printed)


NODE = """
const { createRequire } = require("node:module");
const load = createRequire(process.argv[1] + "/package.json");
const { fromIni } = load("@aws-sdk/credential-providers");
fromIni({ profile: "for-others" })().then((keys) => console.log(JSON.stringify(keys)));
"""


@pytest.mark.skipif(bool(WHY_NODE_CANNOT), reason=WHY_NODE_CANNOT)
def test_sdk_for_javascript_gets_the_credentials(aws):
    done = run(["node", "-e", NODE, str(os.environ[record.VARIABLE])])
    keys = json.loads(done.stdout)
    assert [keys["accessKeyId"]] == gave(aws)
    assert keys["secretAccessKey"] in fakes.SECRETS
    assert keys["sessionToken"] in fakes.SECRETS
    assert keys["accountId"] == "123456789012"
    assert time_of(keys["expiration"]) > aws.now()


def test_export_imports_only_what_it_needs():
    """A credential process is started often."""
    _, *arguments = shlex.split(f"{EXPORT} --profile nothing")
    done = run([sys.executable, "-X", "importtime", *arguments])
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "botocore_ext.session.hook" in imported
    assert (
        not {"boto3", "moto", "botocore_ext.commands.demo", "botocore_ext.providers.chain"}
        & imported
    )
