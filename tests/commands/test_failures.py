"""How commands end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from botocore_ext.__main__ import main

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


def test_unreadable_config_file_leads_to_explain(config, capsys):
    """The message of botocore has neither the line nor what to change."""
    path = config("[profile mobile]\ncognito_logins =\n    accounts.google.com: env://TOKEN\n")
    assert main(["whoami", "mobile"]) == 1
    assert capsys.readouterr().err == (
        f"botocore-ext: Unable to parse config file: {path}: run botocore-ext explain\n"
    )
