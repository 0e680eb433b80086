"""What is looked for in the wheel and the source distribution; the gate looks into real ones."""

import io
import re
import tarfile
import zipfile

import pytest

import botocore_ext

from .tools import distribution

VERSION = botocore_ext.__version__
NAME = f"botocore_ext-{VERSION}"


@pytest.fixture
def built(tmp_path):
    """Write both as they should be, with changes."""

    def write(more=(), without=()):
        package = distribution.sources("botocore_ext")
        metadata = {f"{NAME}.dist-info/{name}" for name in distribution.METADATA}
        with zipfile.ZipFile(tmp_path / f"{NAME}-py3-none-any.whl", "w") as wheel:
            for name in (package | metadata | {*more}) - {*without}:
                wheel.writestr(name, "")
        names = distribution.BESIDE.union(*map(distribution.sources, distribution.FOLDERS))
        with tarfile.open(tmp_path / f"{NAME}.tar.gz", "w:gz") as source:
            for name in (names | {*more}) - {*without}:
                source.addfile(tarfile.TarInfo(f"{NAME}/{name}"), io.BytesIO())
        return tmp_path

    return write


def test_what_is_as_it_should_be_is_listed(built, capsys):
    assert distribution.main(built()) == 0
    assert "\nbotocore_ext/py.typed\n" in capsys.readouterr().out


def test_a_missing_marker_of_types_is_found(built, capsys):
    assert distribution.main(built(without=["botocore_ext/py.typed"])) == 1
    assert capsys.readouterr().out.count("botocore_ext/py.typed is missing") == 2


def test_a_test_in_the_wheel_is_found(built, capsys):
    assert distribution.main(built(more=["tests/__init__.py"])) == 1
    shown = capsys.readouterr().out
    assert f"{NAME}-py3-none-any.whl: tests/__init__.py does not belong there" in shown
    assert f"{NAME}.tar.gz: tests" not in shown


def test_the_changelog_has_the_version_and_its_date():
    changes = (distribution.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE)
