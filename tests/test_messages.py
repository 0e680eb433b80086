"""The page of errors has every message that the package can give."""

import ast
import re
from pathlib import Path

import pytest

import botocore_ext

from .tools import messages

PACKAGE = Path(botocore_ext.__file__).parent
#: Texts for other readers: the demonstration, the command line, who writes the documentation
#: (and ``explanation``, of which docs/explain.md shows what it says).
_OTHERS = {"__main__", "completion", "demo", "table", "testing"}
#: Calls whose texts are no messages.
_NO_MESSAGES = {"getattr", "_debug", "logger.debug", "logger.info", "frozen_field", "option",
                "option_like", "option_method", "timeout_option", "max_retries_option",
                "parser.add_argument", "re.compile", "self._binding.once", "re.fullmatch",
                "sys.stderr.write"}  # fmt: skip
#: Texts that are none either.
_NO_TEXTS = re.compile(
    r" \| |%\(prog\)s |^type\[|^dict\[|value: \.\*|\"services\" : |"
    "^(IAM Identity Center|token of GitHub Actions|botocore_ext, left behind)$"
)
#: Those that complete another text, which is on the page with one of them.
_PARTS = {
    "is not a string",
    "correct role_arn, role_session_name, external_id, mfa_serial or duration_seconds there",
    "set the variables again",
    "the AWS config",
    "are still valid",
    "has no attribute",
    "for the source of its role",  # explain shows it
    "for a link of its chain",  # explain shows it
    "A service answered",  # logged at DEBUG, like the next two
    "to credentials of",
    "New credentials could not be fetched (",
}


def spaced(text):
    return re.sub(r"\s+", " ", text)


def fragments(path):
    """Give what is written in a module, two words or more, without what differs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) or (
            isinstance(node, ast.Call) and ast.unparse(node.func) in _NO_MESSAGES
        ):
            is_text = isinstance(node, ast.Call) or isinstance(node.value, ast.Constant)
            silent.update(map(id, ast.walk(node)) if is_text else ())
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in silent and not _NO_TEXTS.search(node.value):
            for one in re.split(r"\{[^{}\" ]+\}|%[sd]", node.value):
                if len(one.split()) > 1 and one.strip() not in _PARTS:
                    yield spaced(one).strip()


MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.stem not in _OTHERS and path.parent.name != "explanation"
)


@pytest.fixture(scope="module")
def page():
    return messages.PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def messages_of_modules():
    """Return the messages that the modules can show."""
    return [one for path in MODULES for one in fragments(path)]


def test_the_page_is_what_the_command_writes(page):
    assert page == messages.page(), "run python -m tests.tools.messages"


def test_every_message_of_a_case_has_a_group():
    found, homeless = messages.groups()
    assert homeless == []
    assert all(group["messages"] or group["also"] for group in found)


def test_what_a_module_can_say_is_on_the_page(page, messages_of_modules):
    shown = spaced(page)
    missing = [one for one in messages_of_modules if len(one.split()) > 2 and one not in shown]
    assert missing == [], "add it to a case, or to `also` in tests/tools/messages.toml"


def test_other_messages_are_in_the_package(messages_of_modules):
    for group in messages.groups()[0]:
        for text in group.get("also", []):
            assert any(one in text for one in messages_of_modules), text
