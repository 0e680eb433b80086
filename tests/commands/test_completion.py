"""``botocore-ext completion``, in the real shell."""

import os
import shutil
import subprocess
import sys

import pytest

from botocore_ext.__main__ import COMMANDS, main

#: Completes a word as the shell does when a person presses the tab key.
COMPLETE = """
botocore-ext() { "$PYTHON" -m botocore_ext "$@"; }
eval "$(botocore-ext completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_botocore_ext
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words):
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", "botocore-ext", *words],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_profiles(config, tmp_path):
    """And runs nothing that is in the name of a profile."""
    config(f"[profile web]\n[profile we-two]\n[profile we$(touch>{tmp_path}/evil)]\n[profile x]\n")
    assert complete("ex") == ["explain", "export", "exec"]
    dash, quoted, web = sorted(complete("whoami", "we"))
    assert (dash, web) == ("we-two", "web")
    assert quoted.startswith(r"we\$\(touch")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_script_is_printed(shell, capsys):
    assert main(["completion", shell]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("complete -o default -F _botocore_ext botocore-ext\n")
    assert shown.startswith("autoload") is (shell == "zsh")


def test_names_are_printed_for_the_script(config, capsys):
    config("[profile b]\n[profile a]\n")
    assert main(["completion", "--commands"]) == 0
    assert capsys.readouterr().out.split() == [*COMMANDS]
    assert main(["list", "--names"]) == 0
    assert capsys.readouterr().out == "a\nb\n"
