"""The cases of ``tests/cases/explain.toml`` as the page ``docs/explain.md`` shows them.

``python -m tests.tools.explaining`` prints the text between the two markers of that page.
"""

import re
import sys

from botocore_ext.explanation.report import wrap
from tests.parity import cases

FILE = cases.FOLDER / "explain.toml"
#: What differs from run to run -> what is written for it.
_VARIABLE = {
    r"\b\d+ ms\b": "40 ms",
    r"\*{16}[^\s,]{4}": "****************WXYZ",
    r"expires [-\d]+ [:\d]+ UTC, in \d+ s": "expires 2030-01-01 00:00:00 UTC, in 3600 s",
    # The address of the loopback AWS in the place of a service's.
    r"([a-z-]+)(\.\w+) in (\S+) at 127\.0\.0\.1:\d+": r"\1\2 in \3 at \1.\3.amazonaws.com",
    r"127\.0\.0\.1:\d+": "127.0.0.1:8080",
}


def steady(text):
    """Return an output without what differs from run to run."""
    for pattern, written in _VARIABLE.items():
        text = re.sub(pattern, written, text)
    return text


def wrapped(text):
    """Return an output as a terminal of 80 columns shows it."""
    return "\n".join(part for line in text.split("\n") for part in wrap(line, 80))


def read():
    return cases.read(FILE)["case"]


def page():
    """Return the cases as Markdown."""
    return "\n".join(map(_section, read()))


def _section(case):
    parts = [f"### {case['name']}\n"]
    if "boto3" in case:
        parts.append(f"boto3 says: `{case['boto3']}`\n")
    for kind, path in (("config", "~/.aws/config"), ("credentials", "~/.aws/credentials")):
        if kind in case:
            parts.append(f"```ini explained\n# {path}\n{_as_read(case[kind])}```\n")
    variables = [f"{name}={_as_read(text)} " for name, text in case.get("environment", {}).items()]
    command = " ".join(["botocore-ext explain", *case.get("arguments", [])])
    parts.append(f"```text\n$ {''.join(variables)}{command}\n{case['output']}```\n")
    return "\n".join(parts)


def _as_read(text):
    """Write what is made up for each run as a reader would see it."""
    return re.sub(r"<secret [^>]+>", "...", text).replace("<url>", "http://127.0.0.1:8080")


if __name__ == "__main__":
    sys.stdout.write(page())
