"""The files of AWS CLI: read with a reason where they cannot be, rewritten in one step."""

import json
import stat
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from botocore_ext.providers.token_cache import ReplacedMeanwhileError, TokenCache
from tests import fakes

NAME = "d033e22ae348aeb5660fc2140aec35850c4da997"


@pytest.fixture
def cache(world):
    return TokenCache("~/.aws/sso/cache")


def content(cache):
    return json.loads(cache.file_of(NAME).read_text(encoding="utf-8"))


def test_the_directory_is_in_the_home_of_whoever_reads_it(cache, world):
    assert cache.file_of(NAME) == world / ".aws" / "sso" / "cache" / f"{NAME}.json"


def test_a_directory_that_is_not_there_is_made(cache):
    cache[NAME] = {"accessToken": "new"}
    assert cache[NAME] == {"accessToken": "new"}


def test_a_file_is_for_its_owner_only(cache):
    """Also where it was for more before."""
    cache[NAME] = {"accessToken": "old"}
    cache.file_of(NAME).chmod(0o644)
    cache[NAME] = {"accessToken": "new"}
    assert stat.S_IMODE(cache.file_of(NAME).stat().st_mode) == 0o600


def test_fields_missing_in_an_answer_stay(cache):
    cache[NAME] = {"accessToken": "old", "refreshToken": "kept"}
    cache[NAME] = {"accessToken": "new"}
    assert content(cache) == {"accessToken": "new", "refreshToken": "kept"}


@pytest.mark.parametrize("changed", ['{"accessToken": "other"}', "{", None])
def test_a_file_that_has_changed_meanwhile_stays_as_it_is(cache, changed):
    """By another login, one that is being written, or a logout."""
    cache[NAME] = {"accessToken": "old", "refreshToken": "old"}
    path = cache.file_of(NAME)
    path.unlink() if changed is None else path.write_text(changed)
    with pytest.raises(ReplacedMeanwhileError):
        cache[NAME] = {"accessToken": "new"}
    assert (path.read_text() if path.exists() else None) == changed
    assert not list(path.parent.glob("*.tmp"))


def test_a_time_is_written_in_utc_and_as_aws_cli_reads_it(cache):
    moment = datetime(2030, 1, 1, 2, 0, 0, 5, timezone(timedelta(hours=2)))
    cache[NAME] = {"expiresAt": moment}
    assert content(cache) == {"expiresAt": "2030-01-01T00:00:00Z"}


def no_space(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "refused", ["os.fsync", "pathlib.Path.replace", "tempfile.NamedTemporaryFile"]
)
def test_the_old_file_stays_where_the_disk_refuses(cache, monkeypatch, caplog, refused):
    """The fetch uses the new token; only the next process lacks it."""
    cache[NAME] = {"accessToken": "old"}
    with monkeypatch.context() as broken:
        broken.setattr(refused, no_space)
        cache[NAME] = {"accessToken": fakes.secret("access-token")}
    assert content(cache) == {"accessToken": "old"}
    assert [one.name for one in cache.file_of(NAME).parent.iterdir()] == [f"{NAME}.json"]
    (warning,) = caplog.messages
    assert warning == (
        f"The refreshed token could not be written to {cache.file_of(NAME)} (No space left on "
        "device): make the directory writable, or the next process may have to log in again"
    )


def test_a_directory_that_cannot_be_created_fails_nothing(world, caplog):
    (world / "file").write_text("")
    cache = TokenCache(str(world / "file" / "cache"))
    cache[NAME] = {"accessToken": fakes.secret("access-token")}
    assert "(Not a directory)" in caplog.text


def test_no_reader_sees_half_of_a_file(cache):
    """Two threads write and one reads, all the time."""
    cache[NAME] = {"accessToken": "0" * 100_000}
    stop = threading.Event()

    def write(digit):
        own = TokenCache("~/.aws/sso/cache")
        while not stop.is_set():
            with suppress(ReplacedMeanwhileError):
                own[NAME]
                own[NAME] = {"accessToken": digit * 100_000}

    writers = [threading.Thread(target=write, args=(digit,)) for digit in "12"]
    for writer in writers:
        writer.start()
    try:
        seen = [content(cache)["accessToken"] for _ in range(50)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert {len(one) for one in seen} == {100_000}
    assert {len(set(one)) for one in seen} == {1}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff"])
def test_a_file_without_a_json_object_is_a_value_error(cache, text):
    cache[NAME] = {}
    cache.file_of(NAME).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError):  # noqa: PT011 - any text
        cache[NAME]


def test_a_missing_file_is_an_os_error_and_not_an_empty_place(cache):
    """Botocore says that there is no token, but not where it looked."""
    assert NAME in cache
    with pytest.raises(FileNotFoundError):
        cache[NAME]
    assert not Path(cache.file_of(NAME)).exists()
