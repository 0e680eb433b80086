"""The vectors of other AWS SDKs: each one three ways, and the list of what ours does not meet.

They are data of other projects and no part of this repository: see ``docs/conformance.md``. Here
each is a test of its own; ``python -m tests.tools.conformance`` replays them and prints a table.
"""

import dataclasses
import re
from pathlib import Path

import pytest

from botocore_ext import from_ini

from .tools.conformance import __main__ as command
from .tools.conformance.case import Case, Seen
from .tools.conformance.replay import Replay, leaked, visible
from .tools.conformance.report import (
    DIFFERS,
    Difference,
    Result,
    as_markdown,
    differences,
    is_credentials,
    ours,
    table,
)
from .tools.conformance.suites import load
from .tools.conformance.vectors import VARIABLE, found
from .tools.conformance.world import ScriptedAws

ABSENT = f"{VARIABLE} names no directory with the vectors of all suites"
DIRECTORY = found()
CASES = load(DIRECTORY) if DIRECTORY else []
RUN = [case for case in CASES if not case.left_out]
LISTED = differences()
PAGE = Path(__file__).parent.parent / "docs" / "conformance.md"
CHAIN = "smithy-rs/aws-config/default-credential-provider-chain"
PROFILE = "smithy-rs/aws-config/profile-provider"

needs_vectors = pytest.mark.skipif(not CASES, reason=ABSENT)


def each(values):
    """Make a test of each, or one that is skipped and says why."""
    absent = pytest.param(None, id="absent", marks=pytest.mark.skip(reason=ABSENT))
    return [pytest.param(one, id=str(one)) for one in values] or [absent]


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    aws = ScriptedAws()
    yield Replay(tmp_path_factory.mktemp("conformance") / "root", aws)
    aws.close()


@pytest.mark.parametrize("case", each(RUN))
def test_a_vector_shows_the_same_under_install(case, replay):
    assert visible(replay.installed(case)) == visible(replay.plain(case))


@pytest.mark.parametrize("case", each([case for case in RUN if case.factories]))
def test_every_vector_passes_or_is_a_listed_difference(case, replay):
    result = Result(case, ours={factory: ours(replay, case, factory) for factory in case.factories})
    assert [*result.unexplained(LISTED), *result.outdated(LISTED)] == []


LISTED_CASES = [
    case for case in RUN for one in LISTED if case.suite in one.suites and case.name in one.cases
]


@pytest.mark.parametrize("case", each(LISTED_CASES))
def test_plain_botocore_fails_the_listed_differences_too(case, replay):
    """Where a later botocore does, ours is to follow."""
    assert case.verdict(replay.plain(case)) != []


@needs_vectors
def test_number_of_different_vectors():
    assert len({case.key for case in CASES if is_credentials(case)}) == 298


@needs_vectors
def test_from_http_is_tested_with_all_hosts():
    hosts = [case for case in RUN if case.suite == "derived/container-endpoint-cases.json"]
    assert len(hosts) == 36
    assert all("from_http" in case.factories for case in hosts)
    assert not [one for one in LISTED for case in hosts if one.is_about(case, "from_http")]


@needs_vectors
def test_every_listed_difference_has_a_vector():
    names = {(case.suite, case.name) for case in RUN}
    for one in LISTED:
        for case in one.cases:
            assert {(suite, case) for suite in one.suites} & names, case


def case_of(suite, name, **changes):
    (case,) = [one for one in CASES if (one.suite, one.name) == (suite, name)]
    environment = {**case.environment, **changes.pop("environment", {})}
    return dataclasses.replace(case, environment=environment, **changes)


@needs_vectors
@pytest.mark.parametrize(
    ("name", "factory", "environment"),
    [
        ("imds_token_fail", "from_default_chain", {"AWS_EC2_METADATA_V1_DISABLED": "true"}),
        (
            "imds_default_chain_retries",
            "from_default_chain",
            {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "4"},
        ),
        ("sso_server_error", "from_sso", {"AWS_MAX_ATTEMPTS": "1"}),
    ],
)
def test_listed_variable_removes_the_difference(name, factory, environment, replay):
    assert ours(replay, case_of(CHAIN, name, environment=environment), factory) == []


@needs_vectors
def test_region_in_code_precedes_profile_and_environment(replay):
    given = {"region_name": "us-east-2"}
    case = case_of(
        PROFILE, "region_override", factories={"it": lambda _: from_ini(client_config=given)}
    )
    assert ours(replay, case, "it") == []


@needs_vectors
@pytest.mark.parametrize("factory", ["from_ini", "from_process"])
def test_a_credential_process_with_a_pipe_works_through_a_shell(factory, replay):
    case = case_of(PROFILE, "credential_process")
    shell = r"credential_process = sh -c '\1'"
    files = {
        path: re.sub(r"credential_process = (.*)", shell, text) for path, text in case.files.items()
    }
    assert ours(replay, dataclasses.replace(case, files=files), factory) == []


# What follows needs no vectors.


def test_the_page_shows_the_list():
    page = PAGE.read_text(encoding="utf-8")
    begin, end = re.findall(r"<!-- differences: .* -->\n", page)
    between = page.partition(begin)[2].partition(end)[0]
    assert between.strip() == as_markdown(LISTED).strip(), (
        "run python -m tests.tools.conformance.report"
    )


def test_without_the_vectors_the_command_is_an_error(tmp_path, capsys):
    assert command.main(["--vectors", str(tmp_path)]) == 0
    assert "skipped" in capsys.readouterr().out


@pytest.fixture
def made_up():
    """A case that is met where the first outcome is what it wants."""
    return Case("suite", "name", "key", lambda seen: [] if seen.outcomes == ["yes"] else ["no"])


@pytest.mark.parametrize(
    ("found", "shows", "is_explained"),
    [(["a", "ab"], ("^a",), True), (["a", "b"], ("^a",), False), (["b"], ("^a", "^b"), True)],
)
def test_whatever_is_found_must_match_the_entry(made_up, found, shows, is_explained):
    entry = Difference(("suite",), ("name",), shows, "does so", "because")
    result = Result(made_up, ours={"from_env": found})
    assert (result.status([entry]) == DIFFERS) is is_explained
    assert bool([*result.unexplained([entry])]) is not is_explained


def test_an_entry_that_is_met_is_outdated(made_up):
    entry = Difference(("suite",), ("name",), (".",), "does so", "because")
    result = Result(made_up, ours={"from_env": []})
    assert len([*result.outdated([entry])]) == 1
    elsewhere = dataclasses.replace(entry, through=("from_ini",))
    assert [*result.outdated([elsewhere])] == []


def test_a_result_that_is_not_the_same_is_seen_in_the_table(made_up):
    shown = table([Result(made_up, equal=False)], [])
    assert "0 of 1" in shown


def test_a_secret_in_an_error_is_a_discrepancy(made_up):
    case = dataclasses.replace(made_up, secrets=["hush"])
    seen = Seen([{"error": "Error", "text": "it is hush"}], [], {}, set(), "", [])
    assert leaked(case, seen) == ["an error shows a secret"]
