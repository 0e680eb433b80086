"""Runs the cases of ``tests/cases``: a configuration, the answers, and the outcome."""

import re
from pathlib import Path

import boto3
import botocore.exceptions
import pytest

import botocore_ext
from botocore_ext import errors

from . import fakes
from .parity import cases

#: A role on top is assumed by botocore itself, which logs that request as it logs any.
SIGNED = ("roles", "chains")
#: A command of the user's that has a secret in it.
_OWN_COMMAND = re.compile(r"process.*<secret")


def marks(file, case):
    """Say what of a case shows secrets because the user wants it so."""
    if file in SIGNED:
        yield pytest.mark.caller_signs
    if _OWN_COMMAND.search(case.get("config", "")):
        yield pytest.mark.users_own("command")


CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}", marks=[*marks(path.stem, case)])
    for path in sorted(Path(__file__).parent.glob("cases/*.toml"))
    for case in cases.read(path)["case"]
    if "expect" in case
]


def resolve(case):
    """Resolve as the case says, and fetch."""
    if "provider" in case:
        provider = getattr(botocore_ext, case["provider"])(**case.get("options", {}))
        credentials = provider.load()
    else:
        botocore_ext.install()
        profile = case.get("profile")
        credentials = boto3.Session(profile_name=profile).get_credentials()
    if credentials is not None:
        credentials.get_frozen_credentials()
    return credentials


def expected_error(expect):
    if "code" in expect:
        return botocore.exceptions.ClientError
    return getattr(errors, expect["error"], None) or getattr(botocore.exceptions, expect["error"])


@pytest.mark.parametrize("case", CASES)
def test_case(case, world, aws, monkeypatch, caplog, request):
    case = cases.filled(case, cases.known_in(aws, world))
    cases.prepare(case, world, aws, monkeypatch)
    expect = case["expect"]
    if "error" in expect or "code" in expect:
        with pytest.raises(expected_error(expect)) as raised:
            resolve(case)
        shown = f"{raised.value} {raised.value!r}"
        assert not [secret for secret in fakes.SECRETS if secret in shown]
        if "code" in expect:
            assert raised.value.response["Error"]["Code"] == expect["code"]
        else:
            assert type(raised.value).__name__ == expect["error"]
            assert str(raised.value) == expect["text"]
    else:
        credentials = resolve(case)
        assert (credentials and credentials.method) == expect.get("method")
        for name, value in expect.get("keys", {}).items():
            assert getattr(credentials, name) == value
    for text in expect.get("warnings", []):
        assert text in caplog.messages
    if "warnings" not in expect:
        warnings = [one for one in caplog.messages if one.startswith("Profile ")]
        assert not warnings
    if "count" in expect:
        # A client that gives up after silence may do so before the server sees the request.
        fakes.comes_true(lambda: len(aws.requests) >= expect["count"])
        assert len(aws.requests) == expect["count"]
    if "requests" in expect:
        check_requests(expect["requests"], aws.requests)


def check_requests(expected, arrived):
    assert [one.operation for one in arrived] == [one["operation"] for one in expected]
    for wanted, request in zip(expected, arrived, strict=True):
        if "parameters" in wanted:
            parameters = dict(request.parameters)
            if "RoleSessionName" not in wanted["parameters"]:
                parameters.pop("RoleSessionName", None)
            assert parameters == wanted["parameters"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        for name, value in wanted.get("headers", {}).items():
            assert headers.get(name.lower(), "") == value
        if "target" in wanted:
            assert request.target == wanted["target"]
        if "signed_with_the_keys_of_request" in wanted:
            giver = arrived[wanted["signed_with_the_keys_of_request"] - 1]
            assert f"Credential={giver.gave}/" in headers["authorization"]
        if "signed_with" in wanted:
            assert f"Credential={wanted['signed_with']}/" in headers["authorization"]
