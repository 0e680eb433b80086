"""What commands share that use the credentials of a profile."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, NamedTuple

from botocore.credentials import Credentials
from botocore.session import Session

from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..profiles.inert import profile_of
from ..session.hook import extend
from .failures import CommandError


class _NameProfile(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        *_: object,
    ) -> None:
        """Keep the profile, which may be named once: with ``--profile`` or without."""
        if namespace.profile is not None:
            advice = (
                ", and write -- before a program" if parser.get_default("command") == [] else ""
            )
            parser.error(f"the profile is named twice: name it once{advice}")
        namespace.profile = values


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Declare the profile of a command: ``--profile NAME``, or ``NAME`` alone."""
    parser.add_argument(
        "--profile",
        metavar="NAME",
        action=_NameProfile,
        help="the profile; by default AWS_PROFILE or default",
    )
    parser.add_argument(
        "profile",
        metavar="NAME",
        nargs="?",
        action=_NameProfile,
        default=argparse.SUPPRESS,
        help="the same as --profile NAME",
    )


class Lookup(NamedTuple):
    """The credentials that a session with a profile uses after ``install()``."""

    session: Session
    profile: str
    credentials: Credentials

    def frozen(self) -> FrozenCredentials:
        """Return the current credentials.

        Raises:
            CommandError: They cannot be used.
            botocore.exceptions.BotoCoreError: They cannot be fetched.
            botocore.exceptions.ClientError: STS or Cognito refused.
        """
        try:
            return FrozenCredentials.from_credentials(self.credentials)
        except FieldError as error:
            reason = (
                f"the credentials of profile '{self.profile}' cannot be used ({error}): correct "
                "them"
            )
        raise CommandError(reason=reason)


def look_up(session: Session) -> Lookup:
    """Look up the credentials of a new session.

    Raises:
        CommandError: There are none.
        botocore.exceptions.BotoCoreError: The profile cannot be resolved.
        botocore.exceptions.ClientError: STS or Cognito refused.
    """
    name = profile_of(session)
    extend(session)
    credentials = session.get_credentials()
    if credentials is None:
        raise CommandError(
            reason=f"no credentials were found for profile '{name}': run botocore-ext explain to "
            "see what is missing, or name another with --profile"
        )
    return Lookup(session, name, credentials)


@contextmanager
def show_seconds() -> Iterator[None]:
    """Show on a terminal how long the work takes: after one second, then every five seconds.

    Each time is a line of its own: a program that obtains the credentials may show a prompt.
    """
    done = Event()

    def report() -> None:
        seconds, step = 0, 1
        while not done.wait(step):
            seconds, step = seconds + step, 5
            sys.stderr.write(f"botocore-ext: waiting for {seconds} s\n")

    thread = Thread(target=report, daemon=True)
    if sys.stderr.isatty():
        thread.start()
    try:
        yield
    finally:
        done.set()
        if thread.ident is not None:
            thread.join()
