"""How commands end."""

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


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_full_disk_is_one_line(config, capsys, monkeypatch):
    config("[profile web]\nregion = eu-west-1\n")
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["list"]) == 1
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


def test_unreadable_file_is_named_with_its_line(config, capsys):
    """The error of botocore names only the file."""
    secret = fakes.secret()
    config(f"[profile mobile]\ncognito_logins =\n    accounts.google.com: {secret}\n")
    assert main(["whoami", "mobile"]) == 1
    error = capsys.readouterr().err
    assert "config:3 cannot be read as an AWS config or credentials file: write the" in error
    assert not searching.shown([error])


def test_file_that_is_gone_has_no_line(tmp_path):
    """It was replaced after botocore had read it."""
    error = ConfigParseError(path=f"{tmp_path}/gone", error=ValueError())
    assert unreadable_file(error)[0] == f"{tmp_path}/gone"


def test_file_that_is_correct_again_has_no_line(tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  x = y\n")
    error = ConfigParseError(path=f"{tmp_path}/config", error=ValueError())
    assert unreadable_file(error)[0] == f"{tmp_path}/config"
