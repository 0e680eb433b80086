"""Replay the vectors of other AWS SDKs, and print the outcomes.

The directory is the argument of ``--vectors``, else what ``BOTOCORE_EXT_CONFORMANCE`` names. It
ends with status 1 if a result under ``install()`` is not plain botocore's, if a vector is not met
and is not in the list of differences, or if one is in that list and is met.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .replay import Replay
from .report import differences, is_credentials, result, table
from .suites import load
from .vectors import VARIABLE, found
from .world import ScriptedAws


def main(arguments: list[str] | None = None) -> int:
    """Replay, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.conformance", description=__doc__)
    parser.add_argument("--vectors", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument(
        "--verbose", action="store_true", help="show what each vector does not meet"
    )
    parser.add_argument("words", nargs="*", help="only vectors with one of these in suite or name")
    given = parser.parse_args(arguments)
    directory = found(given.vectors)
    if directory is None:
        sys.stdout.write(f"skipped: {VARIABLE} names no directory with the vectors\n")
        return 0
    cases = [case for case in load(directory) if _chosen(case, given.words)]
    aws = ScriptedAws()
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(Path(folder) / "root", aws)
        results = [result(replay, case) for case in cases]
    aws.close()
    listed = differences()
    sys.stdout.write(f"{table(results, listed)}\n")
    wrong = [f"{one.case}: not the same under install()" for one in results if not one.equal]
    for one in results:
        wrong += [*one.unexplained(listed), *one.outdated(listed)]
        if given.verbose:
            _show(one)
    sys.stdout.write("".join(f"WRONG: {line}\n" for line in wrong))
    return 1 if wrong else 0


def _chosen(case, words):
    return not words or any(word in str(case) for word in words)


def _show(one):
    for who, lines in {"plain botocore": one.plain, **one.ours}.items():
        for line in lines:
            sys.stdout.write(f"{one.case}, through {who}: {line}\n")
    if one.case.left_out and is_credentials(one.case):
        sys.stdout.write(f"{one.case}: left out, as it {one.case.left_out}\n")


if __name__ == "__main__":
    sys.exit(main())
