"""Where tokens come from; what goes wrong with them is in ``tests/cases/errors.toml``."""

import os
import pickle
import sys
import threading
import time

import pytest

from botocore_ext import FetchError, tokens
from botocore_ext.tokens import TokenFile, TokenProcess, TokenVariable

from . import fakes


def test_a_file_is_read_anew_and_stripped(world):
    source = TokenFile(str(world / "token"))
    for _ in range(2):
        (world / "token").write_text(f"\n {(token := fakes.secret('token'))} \r\n")
        assert source() == token


def test_a_file_may_be_in_the_home(world):
    (world / "token").write_text(token := fakes.secret("token"))
    assert TokenFile("~/token")() == token


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_and_not_waited_for_without_end(world, monkeypatch):
    os.mkfifo(world / "pipe")
    source, token = TokenFile(str(world / "pipe")), fakes.secret("token")
    writer = threading.Thread(target=lambda: (world / "pipe").write_text(token))
    writer.start()
    assert source() == token
    writer.join()
    monkeypatch.setattr(tokens, "PIPE_TIMEOUT", 0.1)
    with pytest.raises(FetchError, match=r"gave nothing within 0\.1 seconds: it is a pipe"):
        source()
    (world / "pipe").write_text("")  # the thread that was left behind ends


def test_a_variable_is_read_anew(monkeypatch):
    source = TokenVariable("MY_TOKEN")
    for _ in range(2):
        monkeypatch.setenv("MY_TOKEN", token := fakes.secret("token"))
        assert source() == token
    assert pickle.loads(pickle.dumps(source))() == token
    assert token not in repr(source)


@pytest.mark.users_own("command")
def test_a_process_prints_the_token_and_no_shell_runs():
    token = fakes.secret("token")
    assert TokenProcess(f"printf '%s\\n' {token}")() == token
    assert TokenProcess("echo $HOME | cat")() == "$HOME | cat"
    assert token not in repr(TokenProcess(f"printf {token}"))


def test_a_process_gets_no_standard_input():
    command = f"{sys.executable} -c 'import sys; print(repr(sys.stdin.read()))'"
    with fakes.typed("typed"):
        assert TokenProcess(command)() == "''"


def test_a_process_that_hangs_is_ended():
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than 0\.2 seconds: run it by hand"):
        TokenProcess("sh -c 'sleep 30 & wait'", timeout=0.2)()
    assert time.monotonic() - started < 25  # nobody waits for what it has started


@pytest.mark.parametrize(("command", "text"), [("", "is empty"), ("get 'x", "cannot be split")])
def test_a_command_that_is_none_is_an_error(command, text):
    with pytest.raises(FetchError, match=f"the command of the token {text}"):
        TokenProcess(command)()


@pytest.mark.parametrize("name", ["a\0b", "~\0/b", "a\ud800b"])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        (TokenFile, "cannot be read"),
        (TokenVariable, "is not set"),
        (lambda name: TokenProcess(f"echo {name}"), "the token process echo cannot be started"),
    ],
)
def test_a_character_that_no_name_has_is_an_error_of_ours(source, name, text):
    with pytest.raises(FetchError, match=text):
        source(name)()


def test_a_process_may_take_a_minute():
    assert TokenProcess("true").timeout == 60
