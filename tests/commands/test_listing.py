"""``botocore-ext list``."""

import json
import os
import sys

import pytest

from botocore_ext.__main__ import main

CONFIG = """
[default]
region = eu-west-1

[profile app]
role_arn = arn:aws:iam::123456789012:role/App
source_profile = long-term

[profile deeper]
role_arn = arn:aws:iam::123456789012:role/Deeper
source_profile = web

[profile half]
web_identity_token = env://GOOGLE_TOKEN

[profile runs]
credential_process = touch EVIL

[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN
"""
STATIC = """
[long-term]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""


@pytest.fixture
def file(config, tmp_path):
    return config(CONFIG.replace("EVIL", str(tmp_path / "evil")), STATIC)


def test_list_says_what_each_profile_means(file, aws, capsys, tmp_path):
    """No request is sent, no program is run and no secret is shown."""
    assert main(["list"]) == 0
    half = (
        "role_arn is not set in profile 'half': for example, set role_arn = "
        f"arn:aws:iam::123456789012:role/Web in profile 'half' of {file}"
    )
    static = "aws_access_key_id = ****************TERM, aws_secret_access_key = (set)"
    deeper = "role_arn = arn:aws:iam::123456789012:role/Deeper, source_profile = web"
    app = "role_arn = arn:aws:iam::123456789012:role/App, source_profile = long-term"
    web = "web_identity_token = env://GOOGLE_TOKEN, role_arn = arn:aws:iam::123456789012:role/Web"
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"  app        assume-role: {app}",
        f"  deeper     assume-role: {deeper}",
        "* default    no credentials",
        f"  half       custom-web-token: fails: {half}",
        f"  long-term  shared-credentials-file: {static}",
        "  runs       custom-process: credential_process = (set)",
        f"  web        custom-web-token: {web}",
    ]
    assert aws.requests == []
    assert not (tmp_path / "evil").exists()


def test_list_as_data(file, capsys):
    assert main(["list", "--json"]) == 0
    rows = {row["profile"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["default"] == {
        "profile": "default",
        "method": None,
        "settings": {},
        "problem": None,
    }
    assert rows["half"]["problem"].startswith("role_arn is not set in profile 'half'")
    assert rows["web"]["settings"]["role_arn"] == "arn:aws:iam::123456789012:role/Web"


def test_current_profile_is_marked(file, capsys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "web")
    main(["list"])
    marked = [line for line in capsys.readouterr().out.splitlines() if line.startswith("*")]
    assert [line.split()[1] for line in marked] == ["web"]


def test_rows_fit_a_terminal(file, capsys, mocker, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    mocker.patch.object(sys.stdout, "isatty", return_value=True)
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    indented = [line for line in lines if line.startswith(" " * 15)]
    assert len(indented) > 4
    assert not [line for line in lines if len(line) > 60 and os.sep not in line]


def test_provider_without_settings_shows_its_method(file, capsys, monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    assert main(["list"]) == 0
    assert "* default    iam-role\n" in capsys.readouterr().out


def test_no_profile_is_an_empty_list(capsys):
    assert main(["list"]) == 0
    said = "there is no profile in the AWS config and credentials files\n"
    assert capsys.readouterr() == ("", said)
    assert main(["list", "--names"]) == 0
    assert capsys.readouterr() == ("", "")
