"""``botocore-ext completion``: the script with which a shell completes commands and profiles."""

import argparse
import sys

#: Names of profiles are read line by line: ``compgen -W`` would run what is in them.
_BASH = r"""_botocore_ext() {
    local word="${COMP_WORDS[COMP_CWORD]}" names="botocore-ext list --names" name
    if [ "$COMP_CWORD" -eq 1 ]; then names="botocore-ext completion --commands"; fi
    COMPREPLY=()
    while IFS= read -r name; do
        if [[ "$name" == "$word"* ]]; then COMPREPLY+=("$(printf %q "$name")"); fi
    done < <($names 2>/dev/null)
}
complete -o default -F _botocore_ext botocore-ext
"""
SCRIPTS = {"bash": _BASH, "zsh": f"autoload -U +X bashcompinit && bashcompinit\n{_BASH}"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("shell", choices=SCRIPTS, nargs="?", default="bash", help="bash or zsh")
    parser.add_argument("--commands", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Print the script and return 0."""
    from ..__main__ import COMMANDS  # noqa: PLC0415 - it imports this module

    names = "".join(f"{name}\n" for name in COMMANDS)
    sys.stdout.write(names if arguments.commands else SCRIPTS[arguments.shell])
    return 0
