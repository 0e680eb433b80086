"""``botocore-ext explain``."""

import argparse
import json
import shutil
import sys

from botocore.session import Session

from ..explanation.explain import explain
from ..explanation.report import Verdict
from ..session.hook import install
from ..system import system_environment
from .lookup import add_profile, show_seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_profile(parser)
    parser.add_argument("--offline", action="store_true", help="send no request and run no program")
    parser.add_argument(
        "--verbose", action="store_true", help="list the providers that are not configured, too"
    )
    parser.add_argument("--json", action="store_true", help="print data instead of text")
    parser.add_argument("--plain", action="store_true", help="explain boto3 without botocore_ext")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return 0 if credentials were found, or offline are configured."""
    if not arguments.plain:
        install()
    with show_seconds():
        explanation = explain(Session(profile=arguments.profile), offline=arguments.offline)
    if arguments.json:
        text = json.dumps(explanation.to_dict(), indent=2)
    else:  # https://no-color.org
        color = sys.stdout.isatty() and not system_environment().get("NO_COLOR")
        width = shutil.get_terminal_size().columns  # 80 if there is no terminal
        text = explanation.text(verbose=arguments.verbose, color=color, width=width)
    sys.stdout.write(f"{text}\n")
    successes = (Verdict.FOUND, *([Verdict.CONFIGURED] if arguments.offline else []))
    return int(explanation.verdict not in successes)
