"""The tool that looks for what is wider than the screen."""

import pytest

from tests.tools import widths

PAGE = "<html><body><article><pre style='overflow: auto'>{}</pre></article></body></html>"


@pytest.mark.skipif(widths.chromium() is None, reason="Chromium is not installed")
def test_clipped_block_is_found(tmp_path, capsys):
    """At both widths, or at that of a phone only; search.html belongs to Sphinx."""
    texts = {"fits": 1, "phone": 80, "wide": 500, "search": 500}
    for name, length in texts.items():
        (tmp_path / f"{name}.html").write_text(PAGE.format("x" * length))
    assert widths.main(str(tmp_path)) == 1
    *lines, summary = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "1280 pixels, wide.html",
        "390 pixels, phone.html",
        "390 pixels, wide.html",
    ]
    assert summary == "3 too wide on 3 pages at 1280 and 390 pixels"


def test_without_chromium_nothing_is_measured(tmp_path, capsys, monkeypatch):
    """The gate says so by this word."""
    monkeypatch.setenv("PATH", "")
    assert widths.main(str(tmp_path)) == 0
    assert capsys.readouterr().out == "absent\n"
