"""``python -m tests.tools.distribution DIRECTORY``: what wheel and source distribution hold.

The wheel has the package and nothing else, the source distribution all that it takes to build the
wheel, to run the tests and to build the documentation. The status is 1 if either is not so.
"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
#: What makes a wheel a wheel.
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
#: The files next to the folders of a source distribution.
BESIDE = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
FOLDERS = ("botocore_ext", "docs", "tests")
_BUILT = {"__pycache__", "_build", "node_modules"}


def sources(folder):
    """Give the files of a folder of this repository, by their paths from its top."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in paths if not _BUILT & {*path.parts}}


def of_wheel(path):
    """Give the files of a wheel; those of its metadata without the name of their folder."""
    with zipfile.ZipFile(path) as wheel:
        return {name.split(".dist-info/")[-1] for name in wheel.namelist()}


def of_source(path):
    """Give the files of a source distribution without the name of its folder.

    The build adds .gitignore where there is one: a clone has it, its archive may not.
    """
    with tarfile.open(path) as source:
        names = (one.name for one in source.getmembers() if one.isfile())
        return {name.partition("/")[2] for name in names} - {".gitignore"}


def differences(found, wanted):
    """Say what is not as it should be."""
    for name in sorted(wanted - found):
        yield f"{name} is missing"
    for name in sorted(found - wanted):
        yield f"{name} does not belong there"


def main(directory):
    """Print what each holds, and return the status."""
    (wheel,), (source,) = directory.glob("*.whl"), directory.glob("*.tar.gz")
    package = sources("botocore_ext")
    wanted = {
        wheel: (of_wheel(wheel), package | METADATA),
        source: (of_source(source), BESIDE.union(*map(sources, FOLDERS))),
    }
    status = 0
    for path, (found, expected) in wanted.items():
        facts = [*differences(found, expected)]
        listed = [*sorted(found)] if path == wheel else []
        lines = [f"{path.name}: {len(found)} files", *listed]
        lines += [f"{path.name}: {fact}" for fact in facts]
        sys.stdout.writelines(f"{line}\n" for line in lines)
        status = status or int(bool(facts))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
