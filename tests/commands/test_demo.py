"""The demonstration and the command line, run for real against moto."""

import logging
import os
import re
import runpy
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import botocore_ext
from botocore_ext.__main__ import main
from botocore_ext.commands import demo

#: What each row shows besides the numbers.
EXPECTED = {
    "web": ("custom-web-token", "assumed-role/web/demo"),
    "identity": ("custom-cognito-identity", "user/moto"),
    "pool": ("custom-cognito-identity-pool", "user/moto"),
    "http": ("custom-http", "assumed-role/http/demo"),
    "chain": ("custom-credential-chain", "assumed-role/web/demo"),
    "role": ("assume-role", "assumed-role/role/demo"),
    "source": ("assume-role", "assumed-role/source/demo"),
}
#: Seconds to expiry: of a role by default, and of what moto's Cognito gives.
LIFETIMES = dict.fromkeys(EXPECTED, 3600) | {"identity": 90, "pool": 90}

ROW = re.compile(
    r"(?P<profile>\S+) +(?P<method>\S+) +(?P<expires>\d+) s  "
    r"(?P<arn>\S+) +(?P<milliseconds>\d+)"
)
NO_MOTO = "the demonstration needs moto: run pip install 'moto[server]'\n"

#: Settings of a user that the demonstration must not use.
HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
    "AWS_DEFAULT_REGION": "nowhere",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_PROFILE": "nonexistent",
    "AWS_SECRET_ACCESS_KEY": "the user's",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "PYTHONWARNINGS": "error",
}


@pytest.fixture
def places(tmp_path):
    """Return the directories where a program may leave files."""
    found = [tmp_path / name for name in ("home", "current", "temporary")]
    for place in found:
        place.mkdir()
    aws = tmp_path / "home" / ".aws"
    aws.mkdir()
    (aws / "config").write_text("this is [not a config file\n")
    return found


@pytest.fixture
def run(places):
    """Return a function that runs the command line in a process with hostile settings."""
    home, current, temporary = map(str, places)

    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "botocore_ext", *arguments],
            cwd=current,
            env={**os.environ, **HOSTILE, "HOME": home, "TMPDIR": temporary, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def directory(tmp_path, monkeypatch, utc):
    """Return a directory, with the environment that ``start`` passes on."""
    for name in [*os.environ]:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in demo._environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    werkzeug = logging.getLogger("werkzeug")
    level = werkzeug.level
    yield tmp_path
    werkzeug.setLevel(level)
    botocore_ext.uninstall()


@pytest.fixture
def running(directory, caplog):
    """Return the directory of running services."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow, and adds to botocore

    caplog.set_level(logging.ERROR, "werkzeug")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with demo.services(moto, directory):
        yield directory


def tree(places):
    return sorted(path for place in places for path in place.rglob("*"))


def check_table(text):
    table, _, after = text.partition("\n\n")
    assert after == demo.NEXT.removeprefix("\n")
    header, *lines = table.splitlines()
    assert header.split() == ["profile", "method", "expires", "identity", "ms"]
    rows = [ROW.fullmatch(line) for line in lines]
    assert {row["profile"]: (row["method"], row["arn"]) for row in rows} == EXPECTED
    for row in rows:
        assert LIFETIMES[row["profile"]] - 10 <= int(row["expires"]) <= LIFETIMES[row["profile"]]
        assert 0 < int(row["milliseconds"]) < 30_000
    assert len({row.start("arn") for row in rows} | {header.index("identity")}) == 1
    assert not [line for line in text.splitlines() if len(line) > 80]


@pytest.mark.proof
def test_demo_shows_every_profile_and_leaves_no_files(run, places):
    before = tree(places)
    done = run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    check_table(done.stdout)
    assert tree(places) == before


@pytest.mark.proof
@pytest.mark.parametrize("missing", ["moto", "flask"])
def test_missing_moto_names_what_to_install(run, places, tmp_path, missing):
    (tmp_path / f"{missing}.py").write_text("raise ImportError")
    before = tree(places)
    done = run("demo", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", NO_MOTO)
    assert tree(places) == before


def test_child_process_gets_no_settings_of_the_user(monkeypatch, places):
    """Its exit status is returned, and its directory is deleted."""
    for name, value in {**HOSTILE, "PYTHONPATH": "kept"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(places[-1]))
    before, environment = tree(places), dict(os.environ)

    def instead(command, *, env, **_):
        directory = Path(command[-1])
        assert directory.is_dir()
        assert env["AWS_CONFIG_FILE"] == str(directory / "config")
        assert env["HOME"] == str(directory)
        assert env["PYTHONPATH"] == "kept"
        assert env["TZ"] == "UTC"
        assert not HOSTILE.keys() - {"PYTHONWARNINGS"} & env.keys()
        return SimpleNamespace(poll=lambda: 7, wait=lambda: 7)

    monkeypatch.setattr(subprocess, "Popen", instead)
    assert main(["demo"]) == 7
    assert tree(places) == before
    assert dict(os.environ) == environment


def test_table_is_shown_and_the_servers_end(directory, capsys):
    assert main(["demo", "--directory", str(directory)]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    check_table(output.out)
    config = (directory / "config").read_text()
    for uri in re.findall(r"http://\S+", config):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((urlsplit(uri).hostname, urlsplit(uri).port))


def test_no_token_or_secret_is_shown(running, capfd):
    botocore_ext.install()
    assert demo.report(demo.PROFILES) == 0
    output = "".join(capfd.readouterr())
    assert (running / "token").read_text() not in output
    assert "TESTACCESSKEY" not in output
    assert "ABCSECRETKEY" not in output


def test_failed_row_shows_its_error_and_returns_1(running, capsys):
    """The endpoint refuses a wrong token; moto's STS takes any."""
    botocore_ext.install()
    (running / "token").write_text("another")
    assert demo.report({name: demo.PROFILES[name] for name in ("http", "web")}) == 1
    _, http, web = capsys.readouterr().out.splitlines()
    assert re.match(r"http {6}.* custom-http: .*: 127.0.0.1:\d+ answered with status 401", http)
    assert ROW.fullmatch(web)


def test_row_fails_without_install(running, capsys):
    assert demo.report({"identity": "custom-cognito-identity"}) == 1
    assert "Unable to locate credentials" in capsys.readouterr().out


def test_row_fails_with_credentials_from_elsewhere(running, capsys):
    (running / "credentials").write_text(
        "[identity]\naws_access_key_id = AKIAELSEWHERE\naws_secret_access_key = secret\n"
    )
    assert demo.report({"identity": "custom-cognito-identity"}) == 1
    assert "did not come from custom-cognito-identity" in capsys.readouterr().out


def test_credentials_without_expiration_say_never(running, capsys):
    botocore_ext.install(lambda: botocore_ext.FrozenCredentials("AKIAFOREVER", "secret"))
    assert demo.report({"pool": "custom-function"}) == 0
    assert "custom-function                 never" in capsys.readouterr().out


def test_without_moto_install_is_not_called(directory, monkeypatch, mocker, capsys):
    install = mocker.patch.object(botocore_ext, "install")
    monkeypatch.setitem(sys.modules, "moto.server", None)
    assert main(["demo", "--directory", str(directory)]) == 2
    assert capsys.readouterr() == ("", NO_MOTO)
    install.assert_not_called()


def test_missing_command_prints_help_and_returns_2(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["botocore_ext"])
    monkeypatch.delitem(sys.modules, "botocore_ext.__main__")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("botocore_ext", run_name="__main__")
    assert stopped.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("usage: botocore-ext [-h] [-V] COMMAND")
    assert "--directory" not in output.err
