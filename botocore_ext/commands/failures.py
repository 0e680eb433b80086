"""How a command ends: its exit status, and one line on standard error if it failed."""

import errno
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from io import StringIO

from botocore.exceptions import BotoCoreError, ClientError, ConfigParseError, ProfileNotFound

from ..aws.botocore_errors import unreadable_file
from ..errors import redacted_text

#: A closed pipe, and a disk that is full or fails.
_OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class CommandError(BotoCoreError):
    """A command cannot do what it is asked for; the reason says why, and what to do."""

    fmt = "{reason}"

    def __init__(self, *, reason: str, status: int = 1) -> None:
        super().__init__(reason=reason)
        self.status = status


def exit_status(run: Callable[[Namespace], int], arguments: Namespace) -> int:
    """Run a command and return its exit status; a failure is one line without secrets."""
    nowhere = StringIO()  # if the caller has closed them, as daemons do
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or StringIO()
    status = 1
    try:
        done = run(arguments)
        sys.stdout.flush()
    except ConfigParseError as error:
        file, remedy = unreadable_file(error)
        reason = f"{file} cannot be read as an AWS config or credentials file: {remedy}"
    except ProfileNotFound as error:
        reason = f"{error}: botocore-ext list shows the profiles"
    except (BotoCoreError, ClientError) as error:
        reason, status = redacted_text(error), getattr(error, "status", 1)
    except OSError as error:
        reason = str(error)
        if error.errno in _OUTPUT_ERRORS:
            reason = f"the output could not be written: {error.strerror}"
            _discard_output()
    except Exception as error:  # noqa: BLE001 - no traceback: it may show credentials
        reason = f"the command failed with {type(error).__name__}: run botocore-ext explain"
    else:
        if not nowhere.tell():
            return done
        reason = "the output could not be written: standard output is closed"
    sys.stderr.write(f"botocore-ext: {' '.join(reason.split())}\n")
    return status


def _discard_output() -> None:
    """Let Python write the rest of the output nowhere: it would report the error once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
