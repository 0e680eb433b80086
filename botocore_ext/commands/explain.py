"""``botocore-ext explain``."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime

from botocore.session import Session

from ..explanation.explain import explain
from ..session.hook import install
from ..system import system_environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--profile", metavar="NAME", help="the profile, as in boto3.Session(profile_name=NAME)"
    )
    parser.add_argument("--offline", action="store_true", help="send no request and run no program")
    parser.add_argument("--json", action="store_true", help="print data instead of text")
    parser.add_argument("--plain", action="store_true", help="explain boto3 without botocore_ext")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return 0 only if credentials were found."""
    if not arguments.plain:
        install()
    explanation = explain(Session(profile=arguments.profile), offline=arguments.offline)
    if arguments.json:
        text = json.dumps(asdict(explanation), default=datetime.isoformat, indent=2)
    else:  # https://no-color.org
        color = sys.stdout.isatty() and not system_environment().get("NO_COLOR")
        text = explanation.text(color=color)
    sys.stdout.write(f"{text}\n")
    return int(explanation.found is None)
