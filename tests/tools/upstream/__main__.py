"""Run botocore's own tests without and with ``install()``, and compare test by test.

``python -m tests.tools.upstream`` takes botocore's source distribution of the installed version
from PyPI into a temporary directory, where nothing of it stays. It ends with status 1 if a test
that passes without ``install()`` does anything else with it.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .botocore_ext_outcomes import INSTALL, OUTCOMES

HERE = Path(__file__).parent
PLUGIN = "botocore_ext_outcomes"

#: What has to do with credentials, sessions and tokens.
FILES = [
    "tests/unit/test_credentials.py",
    "tests/unit/test_session.py",
    "tests/unit/test_session_legacy.py",
    "tests/unit/test_tokens.py",
    "tests/unit/test_utils.py",
    "tests/functional/test_account_id_endpoints.py",
    "tests/functional/test_auth_config.py",
    "tests/functional/test_bearer_auth.py",
    "tests/functional/test_config_provider.py",
    "tests/functional/test_credentials.py",
    "tests/functional/test_session.py",
    "tests/functional/test_signin.py",
    "tests/functional/test_sts.py",
    "tests/functional/test_useragent.py",
]
#: A busy machine must not make a test of botocore fail.
LONGEST_RUN = 1800


@dataclass
class Run:
    """What one run wrote down."""

    outcomes: dict[str, str]
    sessions: int
    resolvers: int


class NotRun(Exception):  # noqa: N818 - not an error of the code, but why nothing was compared
    """The tests cannot be run; the text says what is missing."""


def download(folder: Path) -> Path:
    """Fetch the source distribution of the botocore that is installed."""
    wanted = f"botocore=={version('botocore')}"
    arguments = ["download", "--no-binary", ":all:", "--no-deps", "--dest", str(folder), wanted]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [*folder.glob("botocore-*.tar.gz")]
    if not found:
        msg = f"pip cannot download {wanted}: {(done.stderr or done.stdout)[-800:]}"
        raise NotRun(msg)
    return found[0]


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the tests and their settings alone: what they test is the installed botocore.

    Raises:
        NotRun: There are no tests in it.
    """
    with tarfile.open(archive) as opened:
        top = opened.getnames()[0].partition("/")[0]
        kept = (f"{top}/tests/", f"{top}/pyproject.toml")
        members = [one for one in opened.getmembers() if one.name.startswith(kept)]
        opened.extractall(folder, members, filter="data")
    root = folder / top
    if not (root / "tests").is_dir():
        msg = f"{archive.name} holds no tests: take them from github.com/boto/botocore"
        raise NotRun(msg)
    return root


def environment(folder: Path, outcomes: Path, *, install: bool) -> dict[str, str]:
    """Return the environment of one run: without AWS settings, in an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    (folder / "home").mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(folder / "home"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The plugin by itself, and the package where it is not installed.
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent.parent.parent)]),
        INSTALL: str(int(install)),
        OUTCOMES: str(outcomes),
    }


def run(root: Path, files: list[str], *, install: bool) -> Run:
    """Run ``files`` once.

    Raises:
        NotRun: pytest did not come to an end.
    """
    outcomes = root.parent / f"outcomes-{int(install)}.json"
    switched_off = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:cov"]
    # ``-m pytest`` puts the directory first: there ``tests`` is botocore's package.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *switched_off, "-p", PLUGIN, *files],
        cwd=root,
        env=environment(root.parent, outcomes, install=install),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_RUN,
    )
    if not outcomes.is_file():
        msg = f"pytest wrote down nothing: {(done.stdout + done.stderr)[-2000:]}"
        raise NotRun(msg)
    return Run(**json.loads(outcomes.read_text(encoding="utf-8")))


def broken(plain: Run, installed: Run) -> dict[str, str]:
    """Return what passes without us and does not with us, with what came instead."""
    return {
        test: installed.outcomes.get(test, "not run")
        for test, outcome in plain.outcomes.items()
        if outcome == "passed" and installed.outcomes.get(test) != "passed"
    }


def table(files: list[str], plain: Run, installed: Run) -> str:
    """Return a line for each file, and one for all."""
    lines = [f"{'':48}{'without':>24}{'with install()':>24}"]
    for file in [*files, ""]:
        cells = []
        for one in (plain, installed):
            outcomes = [what for test, what in one.outcomes.items() if test.startswith(file)]
            count = Counter(outcomes)
            cells.append(
                f"{count['passed']} passed, {count['failed']} failed"
                if not count["skipped"]
                else f"{count['passed']} / {count['failed']} / {count['skipped']} skipped"
            )
        lines.append(f"{file or 'all':48}{cells[0]:>24}{cells[1]:>24}")
    lines.append(f"{'sessions made':48}{plain.sessions:>24}{installed.sessions:>24}")
    lines.append(f"{'resolvers with us in them':48}{plain.resolvers:>24}{installed.resolvers:>24}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Compare, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.upstream", description=__doc__)
    parser.add_argument("--sdist", type=Path, help="the archive; downloaded if not given")
    parser.add_argument("files", nargs="*", default=FILES, help="test files of botocore")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            root = unpack(given.sdist or download(folder), folder)
            files = [file for file in given.files if (root / file).is_file()]
            plain = run(root, files, install=False)
            installed = run(root, files, install=True)
        except NotRun as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(f"botocore {version('botocore')}\n{table(files, plain, installed)}\n")
    for file in set(given.files) - set(files):
        sys.stdout.write(f"not in this version: {file}\n")
    found = broken(plain, installed)
    for test, outcome in found.items():
        sys.stdout.write(f"passes without us, {outcome} with us: {test}\n")
    for test in installed.outcomes.keys() - plain.outcomes.keys():
        sys.stdout.write(f"exists with us only: {test}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
