"""Where tokens come from; what goes wrong with them is in ``tests/cases/errors.toml``."""

import os
import pickle
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import boto3
import pytest

import botocore_ext
from botocore_ext import FetchError
from botocore_ext.tokens import TokenFile, TokenProcess, TokenVariable
from tests import fakes


def test_file_is_read_each_time_and_stripped(world):
    source = TokenFile(str(world / "token"))
    for _ in range(2):
        (world / "token").write_text(f"\n {(token := fakes.secret('token'))} \r\n")
        assert source() == token


def test_a_file_may_be_in_the_home(world):
    (world / "token").write_text(token := fakes.secret("token"))
    assert TokenFile("~/token")() == token


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_when_its_writer_writes():
    reading, writing = os.pipe()
    token = fakes.secret("token")

    def write():
        time.sleep(0.05)
        os.write(writing, token.encode())
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    assert TokenFile(f"/dev/fd/{reading}")() == token
    writer.join()
    os.close(reading)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for_without_end(world):
    """Without a writer it is empty: a thread that waits for one would be left behind."""
    os.mkfifo(world / "pipe")
    before, began = threading.active_count(), time.monotonic()
    with pytest.raises(FetchError, match=f"the token file {world}/pipe is empty"):
        TokenFile(str(world / "pipe"))()
    writer = os.open(world / "pipe", os.O_RDWR)
    try:
        with pytest.raises(FetchError, match=r"read \(nothing came within 0\.1 seconds\)"):
            TokenFile(str(world / "pipe"), timeout=0.1)()
    finally:
        os.close(writer)
    assert (threading.active_count(), time.monotonic() - began < 20) == (before, True)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_file_is_read_up_to_a_mebibyte(world):
    (world / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    for path in ("/dev/zero", world / "large"):
        with pytest.raises(FetchError, match=r"cannot be read \(it has more than 1048576 bytes\)"):
            TokenFile(str(path))()
    (world / "large").write_bytes(b"x" * 1024 * 1024)
    assert len(TokenFile(str(world / "large"))()) == 1024 * 1024


def test_a_process_that_prints_without_end_is_ended():
    with pytest.raises(FetchError, match="printed more than 1048576 bytes and was ended"):
        TokenProcess("yes")()


@pytest.mark.skipif(os.name == "nt", reason="on Windows the outputs are read to their end")
def test_a_process_is_not_waited_for_longer_than_it_runs():
    """What it has started holds its outputs: that would cost the whole timeout."""
    began = time.monotonic()
    for redirection in (">/dev/null", "2>/dev/null", "", "& yes >&2"):
        assert TokenProcess(f"sh -c 'sleep 30 {redirection} & echo it'")() == "it"
    assert time.monotonic() - began < 20


def test_a_process_may_close_its_output_before_it_ends():
    assert TokenProcess("sh -c 'echo it; exec >&- 2>&-; sleep 0.1'")() == "it"
    with pytest.raises(FetchError, match=r"took longer than 0\.2 seconds"):
        TokenProcess("sh -c 'exec >&- 2>&-; sleep 5'", timeout=0.2)()


def test_of_a_long_complaint_a_kibibyte_is_shown():
    complain = "head -c 3000000 /dev/zero | tr '\\\\0' x >&2; echo it; exit 3"
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="failed with exit status 3: xxx") as raised:
            TokenProcess(f'sh -c "{complain}"')()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 1024 < len(raised.value.reason) < 1200
    assert peak < 1_000_000  # no more is in memory, either


def test_variable_is_read_each_time(monkeypatch):
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
    assert time.monotonic() - started < 25  # no wait for the processes that it has started


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
def test_name_that_cannot_exist_is_a_fetch_error(source, name, text):
    with pytest.raises(FetchError, match=text):
        source(name)()


def test_a_process_may_take_a_minute():
    assert TokenProcess("true").timeout == 60


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("env://TOKEN", "env://TOKEN"),
        ("process://print {secret}", "process://..."),
        ("{secret}", "(set)"),
    ],
)
def test_explain_shows_where_a_token_comes_from(written, shown, config, aws, monkeypatch):
    """A command may hold a secret, and a text may be one."""
    monkeypatch.setenv("TOKEN", fakes.secret("token"))
    value = written.format(secret=fakes.secret("token"))
    role = "role_arn = arn:aws:iam::123456789012:role/Web"
    config(f"[profile web]\n{role}\nweb_identity_token = {value}\n")
    botocore_ext.install()
    text = botocore_ext.explain(boto3.Session(profile_name="web"), offline=True).text()
    assert f"web_identity_token = {shown}  (" in text
    assert aws.requests == []


def test_a_source_is_a_value():
    one, same, other = TokenFile("/a"), TokenFile("/a", 5), TokenFile("/a", timeout=6)
    assert (one == same, one == other, one == "/a") == (True, False, False)
    assert len({one, same, other, TokenProcess("/a", 5)}) == 3
    assert TokenVariable("NAME", {}) == TokenVariable("NAME")
    assert pickle.loads(pickle.dumps(other)) == other
    with pytest.raises(AttributeError, match="cannot be changed"):
        one.path = "/b"


def test_a_source_shows_no_command():
    """It may have a password among its arguments."""
    shown = [repr(one) for one in (TokenFile("/a"), TokenVariable("NAME"), TokenProcess("get it"))]
    assert shown == [
        "TokenFile(path='/a', timeout=5)",
        "TokenVariable(name='NAME')",
        "TokenProcess(timeout=60)",
    ]
