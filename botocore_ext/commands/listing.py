"""``botocore-ext list``: the profiles, and where each takes its credentials from."""

import argparse
import json
import shutil
import sys
import textwrap
from dataclasses import asdict, dataclass

from botocore.session import Session

from ..explanation.explain import explain
from ..explanation.report import Outcome
from ..profiles.inert import profile_of
from ..session.hook import extend


@dataclass(frozen=True)
class Row:
    """What one profile means."""

    profile: str
    #: The METHOD of the provider that is configured first; None if none is.
    method: str | None
    #: The settings that it uses, without secrets.
    settings: dict[str, str]
    #: Why it would fail; None if it need not.
    problem: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print data instead of text")
    parser.add_argument("--names", action="store_true", help="print the names only")


def run(arguments: argparse.Namespace) -> int:
    """Print a row for each profile and return 0; no request is sent and no program is run."""
    session = Session()
    if arguments.names:
        sys.stdout.writelines(f"{name}\n" for name in sorted(session.available_profiles))
        return 0
    rows = [_row(name) for name in sorted(session.available_profiles)]
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
        return 0
    if not rows:
        sys.stderr.write("there is no profile in the AWS config and credentials files\n")
    current = profile_of(session)
    width = max((len(row.profile) for row in rows), default=0)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for row in rows:
        mark = "*" if row.profile == current else " "
        begin = f"{mark} {row.profile:<{width}}  "
        text = textwrap.fill(
            _meaning(row),
            max(columns, len(begin) + 20),
            initial_indent=begin,
            subsequent_indent=" " * (len(begin) + 2),
            break_on_hyphens=False,
        )
        sys.stdout.write(f"{text}\n")
    return 0


def _row(name: str) -> Row:
    session = Session(profile=name)
    extend(session)
    for step in explain(session, offline=True).steps:
        if step.outcome in (Outcome.FOUND, Outcome.FAILED, Outcome.NOT_TRIED):
            # Not those of its source profiles, which have rows of their own.
            settings = {one.name: one.value for one in step.settings if one.profile in (None, name)}
            problem = step.reason if step.outcome is Outcome.FAILED else None
            return Row(name, step.provider, settings, problem)
    return Row(name, None, {}, None)


def _meaning(row: Row) -> str:
    if row.method is None:
        return "no credentials"
    if row.problem is not None:
        return f"{row.method}: fails: {row.problem}"
    settings = ", ".join(f"{name} = {value}" for name, value in row.settings.items())
    return f"{row.method}: {settings}" if settings else row.method
