"""What all commands have in common."""

import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

import botocore_ext
from botocore_ext.__main__ import COMMANDS, main
from tests import fakes

WEB = """
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN
"""


@pytest.fixture(autouse=True)
def _profiles(config, monkeypatch):
    config(WEB)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_is_shown(option, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([option])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"botocore_ext {botocore_ext.__version__}\n"


def test_version_needs_no_botocore():
    """Most of a start is its import, in which an interrupt must be one line: see below."""
    code = "import sys, botocore_ext.__main__ as it\n"
    code += "try: it.main(['-V'])\nfinally: print('botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["False"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_what_a_command_does(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    summary = COMMANDS[command][1]
    assert f"{summary[0].upper()}{summary[1:]}.\n" in shown
    assert shown.startswith(f"usage: botocore-ext {command} [-h]")
    usage = shown.partition("\n")[0]
    assert usage.endswith("] -- COMMAND [ARGUMENT ...]") is (command in ("exec", "run"))


def test_log_is_shown_without_secrets(aws, capsys, monkeypatch):
    """Nothing of botocore's log, which has secrets, is shown; afterwards nothing of ours is."""
    monkeypatch.setenv("_BOTOCORE_EXT_PROFILES", "")
    shown = {}
    for option in ("--debug", "--verbose"):
        assert main(["export", "web", option, "--format", "json"]) == 0
        shown[option] = capsys.readouterr().err
        monkeypatch.setenv("_BOTOCORE_EXT_PROFILES", "")
    assert " DEBUG botocore_ext." in shown["--debug"]
    assert " INFO botocore_ext." in shown["--verbose"]
    assert " DEBUG " not in shown["--verbose"]
    assert " botocore." not in shown["--debug"]
    assert not [one for one in fakes.SECRETS if one in shown["--debug"]]
    assert logging.getLogger("botocore_ext").level == logging.NOTSET


def test_explain_takes_the_profile_alone(aws, capsys):
    assert main(["explain", "web", "--verbose"]) == 0
    output = capsys.readouterr()
    assert "web" in output.out
    assert output.err == ""


def test_interrupt_while_a_command_is_imported_is_one_line(capsys, monkeypatch):
    def interrupt(name, *_, **__):
        if name == "botocore_ext.commands.table":
            raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "botocore_ext.commands.table", raising=False)
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=interrupt), *sys.meta_path])
    assert main(["providers"]) == 130
    assert capsys.readouterr().err == "botocore-ext: interrupted\n"


@pytest.mark.caller_signs
@pytest.mark.parametrize("is_terminal", [True, False])
def test_slow_call_shows_the_seconds(aws, capsys, mocker, is_terminal):
    """On a terminal; a program that runs the command sees errors only."""
    aws.delay = 0.9
    mocker.patch.object(sys.stderr, "isatty", return_value=is_terminal)
    assert main(["whoami", "web"]) == 0
    shown = capsys.readouterr().err.splitlines()[:1]
    assert shown == ["botocore-ext: waiting for 1 s"] * is_terminal
