"""``botocore-ext run``: run a Python program as if its first line called ``install()``."""

import argparse
import os
from pathlib import Path

from ..system import system_environment
from .child import run_child

#: Python runs its ``sitecustomize`` when it starts, and so do the programs that it starts.
_STARTUP = str(Path(__file__).parent / "startup")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command; what follows ``--`` is the program."""
    parser.usage = "%(prog)s [-h] -- COMMAND [ARGUMENT ...]"
    parser.set_defaults(command=[])


def run(arguments: argparse.Namespace) -> int:
    """Run the program and return its exit status."""
    inherited = system_environment()
    path = filter(None, [_STARTUP, inherited.get("PYTHONPATH")])
    return run_child(arguments.command, {**inherited, "PYTHONPATH": os.pathsep.join(path)})
