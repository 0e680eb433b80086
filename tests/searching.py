"""Where secrets may show: records of logs, errors, and the arguments of child processes."""

import logging
import re
import sys
import traceback

from botocore_ext import inner_calls

from . import fakes

#: How ``fakes.secret`` makes them up: one of another test is found, too.
_MADE_UP = re.compile(r"[a-z-]+-\d{6}-do-not-show")


def shown(texts):
    """Return the secrets that any of the texts shows."""
    joined = "\n".join(texts)
    return {one for one in list(fakes.SECRETS) if one in joined} | {*_MADE_UP.findall(joined)}


def texts_of(error):
    """Give all that may be shown of an error, of its causes, and of what it came up in."""
    yield "".join(traceback.format_exception(error))
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        yield f"{error}\n{error!r}\n{error.args!r}\n{getattr(error, 'kwargs', '')!r}"
        error = error.__cause__ or error.__context__


class Records(logging.Handler):
    """Keeps the text of every record, at every level."""

    #: Whether the caller makes signed requests, whose records are his own: botocore logs their
    #: session token with and without us. What is caused by us is kept all the same.
    caller_signs = False

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        own_request = record.name.split(".")[0] in ("botocore", "urllib3", "boto3")
        if not own_request or inner_calls._inside.get() or not self.caller_signs:
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


#: The arguments of every child that was started.
arguments = []
#: Event of an audit hook -> which of its values are seen by everybody on the machine.
_STARTS = {"subprocess.Popen": 1, "os.exec": 1, "os.posix_spawn": 1, "os.spawn": 2, "os.system": 0}


def _note(event, values):
    if event in _STARTS:
        arguments.append(str(values[_STARTS[event]]))


# It cannot be taken away again, so that it is here rather than in a fixture.
sys.addaudithook(_note)
