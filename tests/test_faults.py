"""Every fault at every step of every provider, and the page that shows them."""

import socket

import pytest

from . import fakes
from .tools.faults import __main__ as command
from .tools.faults.catalogue import FAULTS, faults_at
from .tools.faults.expected import EXPECTED, discrepancies
from .tools.faults.running import Cell, run_slow, run_step
from .tools.faults.steps import LOCAL, STEPS

ALL = (*STEPS, *LOCAL)
PAGE = command.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("step", ALL, ids=str)
def test_outcome_of_each_fault_is_the_recorded_one(step, tmp_path):
    assert discrepancies(run_step(step, tmp_path)) == []


def test_faults_that_take_time_end_with_the_budget_of_a_fetch(tmp_path):
    assert discrepancies(run_slow(tmp_path)) == []


def test_each_row_of_the_matrix_is_tried():
    tried = {(step.family, fault.name) for step in ALL for fault in faults_at(step)}
    assert tried == {(family, fault) for family, rows in EXPECTED.items() for fault in rows}


def test_each_fault_is_tried_somewhere():
    assert {fault.name for step in ALL for fault in faults_at(step)} == {one.name for one in FAULTS}


def test_only_refusals_lose_valid_credentials():
    """The promise of the refresh, read off the whole matrix."""
    lost = {
        (fault, valid.partition(" ")[0])
        for rows in EXPECTED.values()
        for fault, (_, _, valid) in rows.items()
        if valid not in ("current credentials", "new credentials")
    }
    assert lost == {("refusal that a retry cannot help", "ClientError")}


def test_no_server_can_take_the_address_that_refuses():
    with fakes.refusing() as address:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(address)


def test_changed_and_forbidden_outcomes_are_reported():
    step, fault = STEPS[0], FAULTS[0]
    cell = Cell(step, fault, *EXPECTED[step.family][fault.name], problems=["leaves a socket open"])
    assert discrepancies([cell]) == [f"{step}: {fault.name}: leaves a socket open"]
    cell = Cell(step, fault, "credentials", *EXPECTED[step.family][fault.name][1:])
    assert [line.partition(" instead of")[0] for line in discrepancies([cell])] == [
        f"{step}: {fault.name}: ['credentials', 'credentials, 2 attempts', 'current credentials']"
    ]


def test_the_page_shows_the_matrix():
    assert command.written(PAGE) == PAGE, "run python -m tests.tools.faults"


@pytest.mark.parametrize("is_met", [True, False])
def test_the_command_writes_the_page_only_if_all_is_met(is_met, tmp_path, capsys):
    path = tmp_path / "faults.md"
    path.write_text(f"before\n{command.BEGIN}the old table\n{command.END}after\n", encoding="utf-8")
    cell = Cell(STEPS[0], FAULTS[0], *EXPECTED[STEPS[0].family][FAULTS[0].name])
    cell.problems += [] if is_met else ["leaves a socket open"]
    assert command.main(path, [lambda _: [cell]]) == (not is_met)
    assert ("the old table" in path.read_text(encoding="utf-8")) != is_met
    assert ("leaves a socket open" in capsys.readouterr().out) != is_met
