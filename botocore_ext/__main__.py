"""The command line: ``botocore-ext COMMAND``, or ``python -m botocore_ext COMMAND``."""

import argparse
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from . import __version__

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

#: 128 and the number of SIGINT, as in a shell.
INTERRUPTED = 130

#: The module of each command, and what the command does. A module has ``add_arguments(parser)``
#: and ``run(arguments) -> int``, and is imported only for its command.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "explain": (
        "commands.explain",
        "explain which provider a profile takes its credentials from, and why not from others",
    ),
    "whoami": ("commands.whoami", "show who the credentials of a profile belong to"),
    "list": ("commands.listing", "list the profiles, and where each takes its credentials from"),
    "export": ("commands.export", "print the credentials of a profile, for other programs"),
    "exec": ("commands.execute", "run a program with the credentials of a profile"),
    "run": ("commands.run", "run a Python program that uses boto3 with install()"),
    "providers": ("commands.table", "print the table of all providers"),
    "completion": ("commands.completion", "print a script that lets a shell complete commands"),
    "demo": ("commands.demo", "resolve seven profiles against a simulated AWS on this machine"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; 2 when none is given.

    Args:
        argv: The arguments; None: those of this process.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:  # perhaps while a module is imported
        sys.stderr.write("botocore-ext: interrupted\n")
        return INTERRUPTED
    except OSError as error:
        unwritten = error

    def fail(_: object) -> int:
        raise unwritten

    from .commands.failures import exit_status  # noqa: PLC0415 - help and version need no botocore

    return exit_status(fail, argparse.Namespace())


class _Parser(argparse.ArgumentParser):
    """A parser that raises ``OSError`` if help or the version cannot be written."""

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        is_output = file is not None and file is sys.stdout
        if is_output:
            sys.stdout.write(message)
            sys.stdout.flush()
        else:
            super()._print_message(message, file)


def _run(argv: Sequence[str] | None) -> int:
    given = sys.argv[1:] if argv is None else [*argv]
    end = given.index("--") if "--" in given else len(given)
    given, child = given[:end], given[end + 1 :]
    parser = _Parser(
        prog="botocore-ext",
        description="The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"botocore_ext {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (home, summary) in COMMANDS.items():
        text = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(
            name, help=summary, description=text, conflict_handler="resolve"
        )
        if given[:1] == [name]:
            module = import_module(f".{home}", __package__)
            _add_log_options(command)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    arguments, unknown = parser.parse_known_args(given)
    if unknown:
        advice = ": write -- before the program" if "command" in arguments else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{advice}")
    if "run" not in arguments:
        parser.print_help(sys.stderr)
        return 2
    if child or "command" in arguments:
        if not child or "command" not in arguments:
            needed = "takes no" if child else "needs a"
            parser.error(f"{given[0]} {needed} program after --")
        arguments.command = child
    from .commands.failures import exit_status  # noqa: PLC0415 - help and version need no botocore
    from .refresh import logger as refresh_logger  # noqa: PLC0415 - the same

    # A command prints the failed fetch itself; other warnings reach the terminal.
    refresh_logger.logger.addHandler(logging.NullHandler())
    if arguments.log_level is None:
        return exit_status(arguments.run, arguments)
    with _show_log(arguments.log_level):
        return exit_status(arguments.run, arguments)


def _add_log_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of every command; a command may give ``--verbose`` another meaning."""
    for name, level in (("--verbose", logging.INFO), ("--debug", logging.DEBUG)):
        command.add_argument(
            name,
            dest="log_level",
            action="store_const",
            const=level,
            help=f"show the log of botocore_ext at {logging.getLevelName(level)}, without secrets",
        )


@contextmanager
def _show_log(level: int) -> Iterator[None]:
    """Show the log of this package on standard error; that of botocore can contain secrets."""
    logger, handler = logging.getLogger(__package__), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


if __name__ == "__main__":
    sys.exit(main())
