"""What a person sees while a command waits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


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
