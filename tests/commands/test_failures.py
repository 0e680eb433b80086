"""How commands end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ConfigParseError

from botocore_ext.__main__ import main
from botocore_ext.aws.botocore_errors import unreadable_file
from tests import fakes, searching

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", [["list"], ["--version"], ["list", "--help"]])
def test_full_disk_is_one_line(command, config, capsys, monkeypatch):
    config("[profile web]\nregion = eu-west-1\n")
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(command) == 1
    assert capsys.readouterr().err == (
        "botocore-ext: the output could not be written: No space left on device\n"
    )


def test_closed_pipe_is_one_line(config):
    config("[profile web]\nregion = eu-west-1\n")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "botocore_ext", "list"]
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "botocore-ext: the output could not be written: Broken pipe\n",
    )


def test_closed_streams_are_no_failure(config, monkeypatch):
    """As a daemon has them: a program under exec starts, and its exit status counts."""
    config("[profile dev]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["exec", "dev", "--", sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_output_to_a_closed_stream_is_a_failure(config, monkeypatch, capsys):
    config("[profile dev]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["list", "--names"]) == 1
    assert capsys.readouterr().err == (
        "botocore-ext: the output could not be written: standard output is closed\n"
    )


@pytest.mark.parametrize("command", ["explain", "export", "whoami"])
def test_text_of_a_service_does_not_control_the_terminal(command, config, aws, capsys):
    config("[profile guest]\ncognito_identity_pool_id = us-east-1:pool\n")
    error = {"__type": "ResourceNotFoundException", "message": "no \x1b[2Jpool\nof yours"}
    aws.script("GetId", fakes.Answer(json.dumps(error).encode(), 400))
    assert main([command, "guest"]) == 1
    shown = "".join(capsys.readouterr())
    assert "no \\x1b[2Jpool\\nof yours" in " ".join(shown.split())
    assert "\x1b" not in shown


#: Files that botocore cannot read, with the number of the line that is wrong.
UNREADABLE = [
    ("[default]\ns3 =\n  BAD\n", 3),
    ("[default]\r\ns3 =\r\n  a = b\r\n  BAD\r\n", 4),
    ("# BAD\n; BAD\n\n[default]\n# s3 =\ns3 =\n  # BAD\n\n  a = b\n\n  BAD\n", 11),
    ("[default]\ns3 :\n\tBAD\n", 3),
    ("[default]\n  region = x\n  s3 =\n    a = b\n    BAD\n", 5),
    ("[default]\naws_session_token = abc=\n  more\ns3 =\n  BAD\n", 5),
    ("[default]\nx = 1\n  s3 =\n   more\ny =\n  BAD\n", 6),
    ("[default]\nx = a\fb\N{LINE SEPARATOR}c\x85\ns3 =\n  BAD\n", 4),
    ("[DEFAULT]\ns3 =\n  BAD\n[default]\nx = 1\n", 3),
    ("[default]\nx = 1\n[DEFAULT]\ns3 =\n  a = b\n  BAD\n", 6),
    ("[default]\nx = 1\nBAD\n", 3),
    ("[default\nx = 1\n", 1),
    ("[default]\nx = 1\nx = 2\n", 3),
    ("[default]\nx = 1\n[default]\n", 3),
    ("\ufeff[default]\nx = 1\n", 1),
]


@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize(("text", "line"), UNREADABLE)
def test_unreadable_file_is_named_with_its_line(text, line, file, world, capsys):
    """The error of botocore names only the file."""
    secret = fakes.secret()
    content = text.replace("BAD", f"accounts.google.com: {secret}" if "s3" in text else secret)
    (world / file).write_bytes(content.encode())
    assert main(["whoami", "mobile"]) == 1
    error = capsys.readouterr().err
    assert f"{world / file}:{line} cannot be read as an AWS config or credentials file: " in error
    assert not searching.shown([error])


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"[default]\ns3 =\n  a: b\n", "write the indented line as NAME = VALUE, with = and not :"),
        (b"[default]\nx = 1\nX = 2\n", "the file has the name in this line twice: remove or"),
        (b"[default]\n[default]\n", "the file has the name in this line twice: remove or"),
        (b"[default]\nx\n", "correct its syntax: [section], name = value"),
        ("[default]\nx = 1\n".encode("utf-8-sig"), "save it as UTF-8 without a byte order mark"),
        ("[default]\nx = 1\n".encode("utf-16"), "save it as UTF-8 without a byte order mark"),
    ],
)
def test_unreadable_file_has_a_remedy(content, remedy, world, capsys):
    (world / "config").write_bytes(content)
    assert main(["list"]) == 1
    assert remedy in capsys.readouterr().err


def test_file_that_is_gone_has_no_line(tmp_path):
    """It was replaced after botocore had read it."""
    error = ConfigParseError(path=f"{tmp_path}/gone", error=ValueError())
    assert unreadable_file(error)[0] == f"{tmp_path}/gone"


def test_file_that_is_correct_again_has_no_line(tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  x = y\n")
    error = ConfigParseError(path=f"{tmp_path}/config", error=ValueError())
    assert unreadable_file(error)[0] == f"{tmp_path}/config"
    (tmp_path / "config").write_text("s3")
    assert unreadable_file(error)[0] == f"{tmp_path}/config"
