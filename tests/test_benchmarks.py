"""The page of the benchmarks; that they run is seen by the gate (``--quick``)."""

from .tools.benchmarks import __main__ as command
from .tools.benchmarks import measuring


def test_the_page_is_what_the_command_writes():
    page = (measuring.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page.startswith(command._HEAD)
    for module in command.MODULES:
        assert f"## {module.TITLE}\n" in page
        assert module.BOUND in page
        assert module.NEXT in page
