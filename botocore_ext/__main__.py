"""The command line: ``python -m botocore_ext COMMAND``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; 2 when none is given.

    Args:
        argv: The arguments; None: those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m botocore_ext",
        description="The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.",
    )
    _add_demo(parser.add_subparsers(title="commands", metavar="COMMAND"))
    arguments = parser.parse_args(argv)
    if "run" not in arguments:
        parser.print_help(sys.stderr)
        return 2
    status: int = arguments.run(arguments)
    return status


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "resolve one profile of each kind against a simulated AWS on this machine"
    parser = commands.add_parser("demo", help=text, description=f"{text.capitalize()}.")
    # With it the demonstration runs here; without it, in a process of its own (see demo.start).
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from . import demo  # noqa: PLC0415 - only this command needs boto3

    return demo.start() if arguments.directory is None else demo.show(arguments.directory)


if __name__ == "__main__":
    sys.exit(main())
