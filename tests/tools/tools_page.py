"""The page of other programs: its profiles, and its commands with what they print."""

import json
import re
import time
from pathlib import Path

from tests import fakes

PAGE = Path(__file__).parent.parent.parent / "docs" / "tools.md"
_FENCE = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ( \(in \d+ min\))?")


def _blocks(kind):
    text = PAGE.read_text(encoding="utf-8")
    return [one["text"] for one in _FENCE.finditer(text) if one["kind"] == kind]


#: The config file of the page.
PROFILES = "\n".join(_blocks("ini tools"))


def commands(program):
    """Return each command line of a program, with what the page says that it prints."""
    found = [one.partition("\n") for text in _blocks("console") for one in text.split("$ ")[1:]]
    return [(line, printed) for line, _, printed in found if line.split()[0] == program]


def keys(request):
    """Answer GetCredentialsForIdentity with the credentials of the page."""
    return fakes.Answer(
        json.dumps(
            {
                "IdentityId": request.parameters["IdentityId"],
                "Credentials": {
                    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                    "SecretKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                    "SessionToken": "IQoJb3JpZ2luX2VjEXAMPLE=",
                    "Expiration": time.time() + 3600,
                },
            }
        ).encode()
    )


def without_times(text):
    """Return what is printed but for the time at which credentials expire."""
    return _TIME.sub("<time>", text)
