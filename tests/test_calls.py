"""What a signed request and a refresh run of this package stays within bounds."""

from .tools import calls


def test_calls_and_files_stay_within_bounds():
    """A change that costs more says so here, before a benchmark does."""
    found = calls.scenarios()
    bounds = {
        "profile to signed request": (600, 35),
        "refresh": (160, 25),
        "explain": (720, 45),
    }
    for name, (most_calls, most_files) in bounds.items():
        assert 0 < found[name].calls <= most_calls, name
        assert 0 < found[name].files <= most_files, name
