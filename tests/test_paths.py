"""Paths of the AWS files, as texts."""

import pytest

from botocore_ext import ChainError, create_credential_chain, from_process, system


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path / "place"))
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").write_text("", encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("~/place/file", "~/place/file"),
        ("$PLACE/file", "$PLACE/file"),
        ("~/file", "~/file (which does not exist)"),
        ("$PLACE", "$PLACE (which is a directory)"),
        ("/dev/null", "/dev/null (which is not a regular file)"),
    ],
)
def test_an_aws_file_is_shown_as_it_was_written(home, path, described):
    assert system.describe_path(path) == described


def test_error_names_missing_files(home):
    provider = from_process(profile="none", config_filepath="$PLACE", filepath="~/place/file")
    with pytest.raises(ChainError) as raised:
        create_credential_chain(provider).fetch()
    fact = "there is no profile 'none' in $PLACE (which is a directory) or ~/place/file"
    assert [one.reason for one in raised.value.attempts] == [fact]
