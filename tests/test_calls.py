"""What a signed request and a refresh run of this package stays within bounds."""

import subprocess
import sys

import pytest

from .tools import calls


@pytest.mark.caller_signs
def test_calls_and_files_stay_within_bounds():
    """A change that costs more says so here, before a benchmark does."""
    found = calls.scenarios()
    bounds = {
        "profile to signed request": (640, 35),
        "refresh": (160, 25),
        "explain": (770, 45),
    }
    for name, (most_calls, most_files) in bounds.items():
        assert 0 < found[name].calls <= most_calls, name
        assert 0 < found[name].files <= most_files, name


def test_synchronous_programs_do_not_import_asyncio():
    """It takes longer than all modules of a provider, and boto3 does without."""
    script = (
        "import boto3, sys; before = set(sys.modules)\n"
        "import botocore_ext; botocore_ext.install()\n"
        "provider = botocore_ext.from_web_token(role_arn='arn:aws:iam::123456789012:role/Web')\n"
        "botocore_ext.Session(credentials=provider).get_credentials()\n"
        "print('asyncio' in set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"False"]
