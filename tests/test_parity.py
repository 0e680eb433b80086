"""The same cases in JavaScript and here: their outcomes and requests.

JavaScript is not needed: what came of each case there is recorded (see ``tests/parity``).
"""

import re
from pathlib import Path

import pytest

from . import fakes, test_cases
from .parity import allowed, cases, python, said
from .test_migration import SECTIONS
from .tools.parity import record

CASES = cases.replayed()
RECORDED = record.recorded()
ENTRIES = allowed.listed()
PAGE = Path(__file__).parent.parent / "docs" / "from-javascript.md"


@pytest.fixture
def aws():
    fake = cases.SteadyAws()
    yield fake
    fake.close()


@pytest.fixture
def replayed(world, ecs_agent, monkeypatch):
    """Run a case here, and return its outcome in the form of a record."""
    aws = ecs_agent

    def run(case):
        known = cases.known_in(aws, world)
        case = cases.filled(case, known)
        cases.write_files(case, world)
        cases.script(case, aws)
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        for name, text in cases.environment(case, world).items():
            monkeypatch.setenv(name, text)
        outcomes = python.resolve(case, aws)
        for outcome in outcomes:
            shown = outcome.get("error", {}).get("message", "")
            assert not [secret for secret in fakes.SECRETS if secret in shown]
        return said.result(outcomes, aws.requests, known)

    return run


@pytest.fixture(scope="module")
def differences():
    """Collect what differs; once every case has run, each listed difference must have occurred."""
    found = {}
    yield found
    if found.keys() == CASES.keys():
        assert allowed.idle(ENTRIES, found) == [], "remove it from tests/parity/differences.toml"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[*test_cases.marks("", one)]) for name, one in CASES.items()]
)
def test_a_case_has_the_same_outcome_unless_it_is_listed(name, replayed, differences):
    found = differences[name] = said.differences(RECORDED[name], replayed(CASES[name]))
    assert allowed.unlisted(ENTRIES, name, found) == [], "list it in tests/parity/differences.toml"
    assert allowed.absent(ENTRIES, name, found) == [], "remove it from there"


def test_every_listed_difference_has_its_reason():
    for entry in ENTRIES:
        assert sorted(entry) == ["cases", "differs", "reason"]
        assert entry["cases"]
        assert entry["differs"]
        assert entry["reason"].endswith(".")


def test_the_record_is_of_these_cases():
    assert sorted(RECORDED) == sorted(CASES), "record again: see tests/tools/parity/__init__.py"


def test_every_provider_has_cases_and_there_are_enough():
    assert {case["provider"] for case in CASES.values()} == set(SECTIONS.values())
    assert len(CASES) >= 150


def test_every_provider_has_success_error_and_retry_cases():
    met = {name: set() for name in SECTIONS.values()}
    for name, case in CASES.items():
        saved = RECORDED[name]
        met[case["provider"]] |= {kind for outcome in saved["outcomes"] for kind in outcome}
        met[case["provider"]] |= {"retry" for one in saved["requests"] if one.get("times", 1) > 1}
    sends_nothing = {"from_env", "from_process"}
    for name, kinds in met.items():
        assert kinds == {"keys", "error"} | (set() if name in sends_nothing else {"retry"}), name


def test_the_cases_are_free_of_python():
    """They can be run in any shell."""
    for path in cases.FOLDER.glob("*.toml"):
        assert "python" not in path.read_text(encoding="utf-8").lower(), path.name


def test_the_page_for_javascript_shows_the_differences():
    shown = re.findall(
        r"^```\{literalinclude\} (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [(PAGE.parent / path).resolve() for path in shown] == [allowed.FILE]
