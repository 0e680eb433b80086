"""The page of the benchmarks; that they run is seen by the gate (``--quick``)."""

import pytest

from .tools.benchmarks import __main__ as command
from .tools.benchmarks import figures


def test_page_has_a_place_for_each_table():
    """Without its comments a table would not be updated, unnoticed."""
    page = command.PAGE.read_text(encoding="utf-8")
    tables = dict.fromkeys([*figures.parts([]), "machine"], "as measured")
    assert command.updated(page, tables).count("\nas measured\n") == len(tables)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (0.8e-6, 18.4e-6, "**23 times faster**: 0.80 µs against 18.4 µs"),
        (0.9e-3, 1.8e-3, "**2.0 times faster**: 0.90 ms against 1.80 ms"),
        (0.90, 1, "10 % less time: 0.90 s against 1.00 s"),
        (376e-6, 369e-6, "1.9 % more time: 376 µs against 369 µs"),
    ],
)
def test_times_are_compared_in_words(ours, theirs, words):
    assert figures.compared(ours, theirs) == words
