"""``python -m tests.tools.upstream``, on three tests in the place of botocore's own."""

import tarfile

from .tools.upstream import __main__ as command

FILE = "tests/unit/test_session.py"
TESTS = """
import pytest
from botocore.session import Session

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


@pytest.fixture
def methods(tmp_path, monkeypatch):
    (tmp_path / "config").write_text(f"[profile mobile]\\ncognito_identity_pool_id = {POOL}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    resolver = Session(profile="mobile").get_component("credential_provider")
    return [one.METHOD for one in resolver.providers]


def test_passes(methods):
    assert "config-file" in methods


def test_fails():
    raise AssertionError


def test_notices_installed_providers(methods):
    assert "custom-http" not in methods
"""


def sdist(folder):
    """Write a source distribution with these tests."""
    top = folder / "botocore-1.0"
    file = top / FILE
    file.parent.mkdir(parents=True)
    file.write_text(TESTS, encoding="utf-8")
    for package in (file.parent, file.parent.parent):
        (package / "__init__.py").touch()
    archive = folder / "botocore-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(top, top.name)
    return archive


def test_difference_between_both_runs_is_reported(tmp_path, capsys):
    status = command.main(["--sdist", str(sdist(tmp_path)), FILE, "tests/unit/absent.py"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert status == 1
    assert f"{FILE} 2 passed, 1 failed 1 passed, 2 failed" in lines
    assert "resolvers with us in them 0 2" in lines
    assert lines[-2:] == [
        "not in this version: tests/unit/absent.py",
        f"passes without us, failed with us: {FILE}::test_notices_installed_providers",
    ]


def test_archive_without_tests_is_an_error(tmp_path, capsys):
    with tarfile.open(archive := tmp_path / "botocore-1.0.tar.gz", "w:gz") as tar:
        (tmp_path / "PKG-INFO").touch()
        tar.add(tmp_path / "PKG-INFO", "botocore-1.0/PKG-INFO")
    assert command.main(["--sdist", str(archive)]) == 2
    assert "holds no tests" in capsys.readouterr().err
