"""What a person sees while a command waits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def show_seconds() -> Iterator[None]:
    """Say on a terminal how long the work takes: after a second, and then every five.

    These are whole lines: a program that obtains the credentials may show a prompt meanwhile.
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
