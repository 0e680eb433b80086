"""The page of errors: every message, with its cause and what to do.

``python -m tests.tools.messages`` writes ``docs/errors.md``. The messages are those that
``tests/cases`` expect, so the package really gives them. ``messages.toml`` puts them into groups,
with the cause of each group, and adds messages of no case. ``tests/test_messages.py`` checks that
none is missing.
"""

import re
from pathlib import Path

from tests.parity import cases

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "errors.md"
WRITTEN = cases.read(Path(__file__).with_suffix(".toml"))
#: What differs from machine to machine or from case to case, and what replaces it on the page.
_PLACES = {
    r"^Error when retrieving credentials from \S+( of profile '\w+'|\(\))?: ": "",
    r"<config>|~/broken": "~/.aws/config",
    r"<credentials>": "~/.aws/credentials",
    r"<home>": "~",
    r"127\.0\.0\.1:(<port>|9\b)|no-such-host\.invalid": "HOST",
    r"<url>|http://HOST": "http://HOST",
    r"[0-9a-f]{40,64}\.json": "HASH.json",
    r"(?<=[Pp]rofile )['\"][\w-]+['\"]": "'NAME'",
    r"(?<=names the host )[\d.]+": "HOST",
    r"^\w+(?= in profile 'NAME' (?!names|ended|took|cannot|returned))": "KEY",
    r"^(the environment variable) \w+(?=:| (names|is not a URL|does))": r"\1 NAME",
    r"set the environment variable AWS_C\w+=.*": "set the environment variable NAME=VALUE",
    r"\bset \w+ = .* in profile 'NAME' of .*": "set KEY = VALUE in profile 'NAME' of ~/.aws/config",
    r"the setting \S+, which (.*: did you mean )\S+\?$": r"the setting KEY, which \1KEY?",
    r"\b\d+(\.\d+)? s\b": "N s",
    r"(--sso-session|--profile) \w+": r"\1 NAME",
}


def spoken(text):
    """Return a message without what is of one case only."""
    for place, shown in _PLACES.items():
        text = re.sub(place, shown, text)
    return text


def of_cases():
    """Give the messages of all cases, each once."""
    found = {}
    for path in sorted(cases.FOLDER.glob("*.toml")):
        for case in cases.read(path)["case"]:
            expect = case.get("expect", {})
            texts = [expect["text"]] if "text" in expect else []
            found |= dict.fromkeys(map(spoken, texts + expect.get("warnings", [])))
    return list(found)


def groups():
    """Return each group with its messages, and the messages of none."""
    found = WRITTEN["group"]
    for group in found:
        group["messages"] = []
    homeless = []
    for text in of_cases():
        places = [one for one in found if any(re.search(it, text) for it in one["patterns"])]
        (places[0]["messages"] if places else homeless).append(text)
    return found, homeless


def item(text):
    """Return a message as one item of a list, and its further lines below it."""
    first, *others = (f"`` {line.strip()} ``" for line in text.splitlines())
    return "\n".join([f"- {first}", *(f"  - {line}" for line in others)])


def page():
    """Write the page."""
    parts = [WRITTEN["head"]]
    for group in groups()[0]:
        said = "\n".join(map(item, [*group["messages"], *group.get("also", [])]))
        cause, remedy = f"*Cause:* {group['cause']}", f"*What to do:* {group['remedy']}"
        parts += [f"## {group['title']}\n", f"{cause}\n", f"{remedy}\n", f"{said}\n"]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
