"""``botocore-ext explain``."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime

from botocore.session import Session

from ..explanation.walk import explain
from ..session.hook import install
from ..system import system_environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--profile", metavar="NAME", help="the profile, as code would name it")
    parser.add_argument("--offline", action="store_true", help="send and run nothing")
    parser.add_argument("--json", action="store_true", help="print data instead of text")
    parser.add_argument("--plain", action="store_true", help="explain boto3 without botocore_ext")


def run(arguments: argparse.Namespace) -> int:
    """Print why there are credentials, or none; return 0 only if some were found."""
    if not arguments.plain:
        install()
    found = explain(Session(profile=arguments.profile), offline=arguments.offline)
    if arguments.json:
        text = json.dumps(asdict(found), default=_as_text, indent=2)
    else:
        text = found.text(colour=_wants_colour())
    sys.stdout.write(f"{text}\n")
    return int(found.found is None)


def _wants_colour() -> bool:
    # https://no-color.org
    return sys.stdout.isatty() and not system_environment().get("NO_COLOR")


def _as_text(moment: datetime) -> str:
    return moment.isoformat()
