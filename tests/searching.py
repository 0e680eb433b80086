"""Where secrets may show: records of logs, errors, and the arguments of child processes."""

import logging
import re
import subprocess
import traceback
from functools import wraps
from unittest import mock

import pytest

from botocore_ext import errors
from botocore_ext.refresh.refresher import Refresher
from botocore_ext.runtime import context

from . import fakes

#: How ``fakes.secret`` makes them up, and how these end: one of another test is found, too.
_MADE_UP, _END = re.compile(r"[a-z-]+-\d{6}-do-not-show"), "-do-not-show"


def shown(texts):
    """Return the secrets that any of the texts shows."""
    joined = "\n\n".join(texts)
    found = {one for one in list(fakes.SECRETS) if not one.endswith(_END) and one in joined}
    # Nearly always there is none, and looking for the ends of all is a hundred times as fast.
    return found | {*_MADE_UP.findall(joined)} if _END in joined else found


def texts_of(error):
    """Give all that may be shown of an error, of its causes, and of what it came up in."""
    yield "".join(traceback.format_exception(error, limit=0))  # lines of code hold no secret
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        yield f"{error}\n{error!r}\n{error.args!r}\n{getattr(error, 'kwargs', '')!r}"
        error = error.__cause__ or error.__context__


def variables_of(error):
    """Give the variables of the package in all tracebacks, of a tuple or dict each member too.

    Error trackers send them to a server.
    """
    frames = []
    while error is not None:
        frames += [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    ours = [one for one in frames if one.f_globals["__name__"].startswith("botocore_ext.")]
    found = [value for frame in ours for value in frame.f_locals.values()]
    for one in found:
        found += one.values() if isinstance(one, dict) else one if isinstance(one, tuple) else ()
    return [repr(one) for one in found]


class Records(logging.Handler):
    """Keeps the text of every record, at every level."""

    #: Whether the caller makes requests of his own that carry secrets: botocore logs these, with
    #: and without us. What this package causes is searched all the same.
    caller_signs = False
    #: Where botocore does so.
    OWN = ("botocore.auth", "botocore.endpoint", "botocore.parsers")

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        own = self.caller_signs and record.name in self.OWN and context._may_log.get(True)
        if not own:
            self.texts.append(self.format(record))

    def __enter__(self):
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_):
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)


class Errors:
    """Keeps the text of every error: ours when it is made, all others when they reach a test.

    Texts, and not the errors, which would keep alive whatever their tracebacks hold.
    """

    def __init__(self):
        self.texts = []
        self._patches = [
            mock.patch.object(errors.ProviderError, "__init__", self._making()),
            # The errors of a refresh, in any thread, whether a caller gets them or not.
            mock.patch.object(Refresher, "_after_failure", self._failing()),
            # What a test expects.
            mock.patch.object(pytest.ExceptionInfo, "fill_unfilled", self._expecting()),
        ]

    def _making(self):
        make = errors.ProviderError.__init__

        @wraps(make)
        def noted(error, **given):
            make(error, **given)
            self.texts += [str(error), repr(error), repr(error.args)]

        return noted

    def _failing(self):
        failed = Refresher._after_failure

        @wraps(failed)
        def noted(refresher, error, epoch):
            self.texts += texts_of(error)
            return failed(refresher, error, epoch)

        return noted

    def _expecting(self):
        fill = pytest.ExceptionInfo.fill_unfilled

        @wraps(fill)
        def noted(info, found):
            self.texts += texts_of(found[1])
            return fill(info, found)

        return noted

    def __enter__(self):
        for one in self._patches:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self._patches:
            one.stop()


class Commands:
    """Keeps the arguments of every child that is started, which everybody on the machine sees.

    No audit hook does this: while one runs, no other thread can begin to be measured by coverage.
    """

    def __init__(self):
        self.texts = []
        self._patch = mock.patch.object(subprocess.Popen, "__init__", self._starting())

    def _starting(self):
        start = subprocess.Popen.__init__

        @wraps(start)
        def noted(process, args, *others, **named):
            self.texts.append(str(args))
            return start(process, args, *others, **named)

        return noted

    def __enter__(self):
        self._patch.start()
        return self

    def __exit__(self, *_):
        self._patch.stop()
