"""``botocore-ext whoami``."""

import json
import re

import pytest

from botocore_ext.__main__ import main
from tests import fakes

WEB = """
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN
"""
STATIC = """
[long-term]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
pytestmark = pytest.mark.caller_signs


@pytest.fixture(autouse=True)
def _profiles(config, monkeypatch):
    config(WEB, STATIC)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))


def test_whoami_signs_one_get_caller_identity(aws, capsys):
    aws.lifetime = 7200
    assert main(["whoami", "web"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == [
        "Arn         arn:aws:sts::123456789012:assumed-role/Caller/session",
        "Account     123456789012",
        "UserId      A",
        "Method      custom-web-token",
        "Profile     web",
    ]
    assert re.fullmatch(r"Expiration  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in 119 min\)", last)
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]
    assert aws.requests[0].gave in aws.requests[1].headers["Authorization"]


def test_whoami_as_data(aws, capsys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "long-term")
    assert main(["whoami", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "Arn": "arn:aws:sts::123456789012:assumed-role/Caller/session",
        "Account": "123456789012",
        "UserId": "A",
        "Method": "shared-credentials-file",
        "Profile": "long-term",
        "Expiration": None,
    }


def test_expiration_may_be_unknown(aws, capsys):
    assert main(["whoami", "--profile", "long-term"]) == 0
    assert capsys.readouterr().out.endswith("Expiration  not known\n")


def test_region_of_the_profile_is_used(aws, capsys, config):
    config(WEB.replace("[profile web]", "[profile web]\nregion = eu-west-3"))
    assert main(["whoami", "web"]) == 0
    assert "/eu-west-3/sts/" in aws.requests[-1].headers["Authorization"]


def test_refusal_is_one_line_and_status_1(aws, capsys):
    aws.script("AssumeRoleWithWebIdentity", fakes.error("AccessDenied", 403))
    assert main(["whoami", "web"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("botocore-ext: An error occurred (AccessDenied) when calling the ")
    assert output.err.count("\n") == 1


def test_profile_is_named_once(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["whoami", "web", "--profile", "long-term"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith("the profile is named twice: name it once\n")
