"""The benchmarks run; what they measure is for ``python -m tests.tools.benchmarks`` alone."""

import pytest

from .tools.benchmarks import __main__ as command
from .tools.benchmarks import measuring, server


@pytest.mark.parametrize("module", command.MODULES, ids=lambda one: one.__name__.split(".")[-1])
def test_every_benchmark_runs(module, tmp_path, logs):
    with server.running() as service, measuring.world(tmp_path, service, 0.003) as there:
        figures = module.run(there)
    assert figures
    section = command._section(module, figures)
    assert all(f"| {one.what} | {one.form.format(one.value)} |" in section for one in figures)


def test_the_page_is_what_the_command_writes():
    page = (measuring.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page.startswith(command._HEAD)
    for module in command.MODULES:
        assert f"## {module.TITLE}\n" in page
        assert module.BOUND in page
        assert module.NEXT in page
