"""``from_process``; what may go wrong is in ``tests/cases/native.toml``."""

import json
import os
import sys
import time

import botocore.session
import pytest

from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_process,
)
from tests import fakes


@pytest.fixture
def process(world):
    """Write a program, and return the command that runs it; it counts its runs."""

    def write(code):
        count = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x')\n"
        (world / "program.py").write_text(count + code, encoding="utf-8")
        return f"{sys.executable} {world / 'program.py'} {world / 'runs'}"

    return write


@pytest.fixture
def runs(world):
    path = world / "runs"
    return lambda: len(path.read_text()) if path.exists() else 0


def printing(**changed):
    keys = {
        "Version": 1,
        "AccessKeyId": "AKIAPROCESS",
        "SecretAccessKey": fakes.secret("secret-key"),
        "SessionToken": fakes.secret("session-token"),
        **changed,
    }
    return f"print({json.dumps(keys)!r})"


def test_the_command_of_a_profile(process, config, clock):
    expiration = fakes.at(clock.time + 3600)
    command = process(printing(AccountId="123456789012", Expiration=expiration))
    config(f"[profile dev]\ncredential_process = {command}\n")
    keys = from_process(profile="dev").bind(Scope(clock=clock)).fetch()
    assert (keys.access_key, keys.account_id) == ("AKIAPROCESS", "123456789012")
    assert keys.expiration == clock.at(3600)
    assert {keys.secret_key, keys.token} <= fakes.SECRETS


@pytest.mark.parametrize(("printed", "account"), [(None, "210987654321"), ("1", "1")])
def test_account_defaults_to_that_of_the_profile(process, config, printed, account):
    command = process(printing(AccountId=printed))
    config(f"[default]\ncredential_process = {command}\naws_account_id = 210987654321\n")
    assert from_process().fetch().account_id == account


def test_the_profile_of_the_environment(process, config, monkeypatch):
    config(f"[profile env]\ncredential_process = {process(printing())}\n")
    monkeypatch.setenv("AWS_PROFILE", "env")
    assert from_process().fetch().access_key == "AKIAPROCESS"


@pytest.mark.parametrize("option", ["filepath", "config_filepath"])
def test_other_files_can_be_named(process, world, option):
    """The other file is that of the session."""
    section = "dev" if option == "filepath" else "profile dev"
    (world / "own").write_text(f"[{section}]\ncredential_process = {process(printing())}\n")
    provider = from_process(profile="dev", **{option: str(world / "own")})
    assert provider.fetch().access_key == "AKIAPROCESS"
    assert from_process(profile="dev").load() is None


def test_session_profile_is_read_in_files_from_code(process, world):
    (world / "own").write_text(f"[profile dev]\ncredential_process = {process(printing())}\n")
    session = botocore.session.Session(profile="dev")
    provider = from_process(config_filepath=str(world / "own")).bind(Scope(session))
    assert provider.fetch().access_key == "AKIAPROCESS"


def test_files_are_read_once_until_they_are_to_be_read_again(process, config):
    path = config(f"[default]\ncredential_process = {process(printing())}\n")
    provider = from_process()
    provider.fetch()
    provider._read_again()
    assert provider.scope.profile_values
    path.write_text("[default]\n")
    assert provider.is_selected()
    provider._read_again()
    assert not provider.is_selected()


@pytest.mark.parametrize("left", [1, 60, 299])
def test_a_process_is_run_once_for_each_fetch(process, runs, clock, left):
    """Botocore would run it again, because its credentials expire soon."""
    command = process(printing(Expiration=fakes.at(clock.time + left)))
    credentials = from_process(credential_process=command).bind(Scope(clock=clock)).load()
    assert runs() == 0
    credentials.get_frozen_credentials()
    assert runs() == 1
    from_process(credential_process=command).fetch()
    assert runs() == 2


def test_expired_credentials_are_an_error(process, runs):
    command = process(printing(Expiration="2020-01-01T00:00:00Z"))
    credentials = from_process(credential_process=command).load()
    with pytest.raises(FetchError, match=r"from from_process\(\): it returned credentials that "
                       r"expired at 2020-01-01 00:00:00\+00:00: check the clocks"):  # fmt: skip
        credentials.get_frozen_credentials()
    assert runs() == 1


def test_process_inherits_the_terminal(process, monkeypatch):
    """It inherits the terminal: people answer MFA prompts in it."""
    command = process(f"assert input() == '123456'\n{printing()}")
    with fakes.typed("123456\n"):
        assert from_process(credential_process=command).fetch().access_key == "AKIAPROCESS"


@pytest.mark.users_own("command")
def test_a_process_that_hangs_is_dead_after_its_timeout(world):
    code = (
        f"echo $$ > {world}/pid; echo half a secret; for i in $(seq 300); do sleep 0.1; done; "
        f"touch {world}/waited-for"
    )
    command = f"sh -c '{code}' it {fakes.secret('argument')}"
    provider = from_process(credential_process=command, timeout=1.5)
    with pytest.raises(FetchError) as raised:
        provider.fetch()
    assert raised.value.reason == (
        "credential_process passed to from_process() took longer than 1.5 seconds and was ended: "
        "run the command by hand to see what it waits for, or raise timeout"
    )
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    with pytest.raises(ProcessLookupError):  # neither running, nor a zombie
        os.kill(int((world / "pid").read_text()), 0)
    assert not (world / "waited-for").exists()


def test_a_process_that_prints_without_end_is_ended():
    with pytest.raises(FetchError, match=r"\(it is more than 1048576 bytes\)"):
        from_process(credential_process="yes").fetch()


def test_a_process_is_not_waited_for_longer_than_it_runs(process):
    """What it has started holds its output, and nothing limits the time of a process."""
    start = "import subprocess; subprocess.Popen(['sleep', '30'])\n"
    began = time.monotonic()
    assert from_process(credential_process=process(start + printing())).fetch().access_key
    assert time.monotonic() - began < 20


def test_a_process_within_its_timeout(process):
    command = process(printing())
    assert from_process(credential_process=command, timeout=60).fetch().access_key


_WITH_NUMBERS = """
import json
keys = dict.fromkeys(("Version", "AccessKeyId", "SecretAccessKey"), 1)
print(json.dumps(keys | {"Expiration": "<secret>"}))
"""


@pytest.mark.users_own("command")
@pytest.mark.parametrize(
    "code",
    [
        "sys.stderr.write('<secret>'); sys.exit(3)",
        "print('<secret>')",
        "print('[\"<secret>\"]')",
        "sys.stdout.buffer.write(b'\\xff<secret>')",
        'print(\'{"Version": "<secret>"}\')',
        'print(\'{"Version": 1, "AccessKeyId": ["<secret>"], "SecretAccessKey": 1}\')',
        _WITH_NUMBERS,
    ],
)
def test_nothing_that_a_process_printed_is_shown(process, code):
    command = process(code.replace("<secret>", fakes.secret("printed")))
    provider = from_process(credential_process=f"{command} {fakes.secret('argument')}")
    with pytest.raises(FetchError) as raised:
        provider.fetch()
    shown = f"{raised.value} {raised.value!r} {provider!r}"
    assert not [one for one in fakes.SECRETS if one in shown]
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_a_chain_steps_over_a_profile_without_a_process(config):
    config("[profile dev]\nregion = eu-west-1\n")
    chain = create_credential_chain(
        from_process(profile="dev"),
        from_process(profile="none"),
        lambda: {"AccessKeyId": "A", "SecretKey": "s"},
    )
    assert chain.fetch().access_key == "A"


def test_missing_profile_is_reported_with_the_files(world, config):
    config("[default]\n")
    assert from_process(profile="dev")._reason_not_selected() == (
        f"there is no profile 'dev' in {world / 'config'} or {world / 'credentials'} (which does "
        "not exist)"
    )


def test_an_error_of_a_profile_names_it(process, config):
    printed = printing(Expiration="2020-01-01T00:00:00Z")
    config(f"[profile dev]\ncredential_process = {process(printed)}\n")
    with pytest.raises(
        FetchError, match="from custom-process of profile 'dev': it returned credentials that"
    ):
        from_process(profile="dev").load().get_frozen_credentials()


@pytest.mark.parametrize("option", ["profile", "filepath", "config_filepath"])
def test_where_to_read_is_checked_before_anything_is_read(option):
    """A number would be taken for the name of a profile, and a chain would continue."""
    text = rf"{option} passed to from_process\(\) must be a string, not int: for example, pass "
    with pytest.raises(ConfigurationError, match=text):
        create_credential_chain(from_process(**{option: 5}), lambda: None).fetch()


def test_a_chain_stops_at_a_process_that_fails(process):
    failing = from_process(credential_process=process("sys.exit(1)"))
    with pytest.raises(FetchError, match="ended with status 1"):
        create_credential_chain(failing, from_process()).fetch()


def test_command_that_cannot_be_split_is_not_run(runs):
    with pytest.raises(ConfigurationError, match=r"cannot be split into words \(No closing quot"):
        from_process(credential_process="get-keys 'me").load()
