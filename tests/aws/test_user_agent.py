"""botocore's feature ids: a request says how the credentials that sign it came about."""

import sys

import pytest
from botocore.config import Config
from botocore.useragent import _USERAGENT_FEATURE_MAPPINGS

import botocore_ext
from botocore_ext import (
    Session,
    create_credential_chain,
    from_container_metadata,
    from_default_chain,
    from_env,
    from_http,
    from_ini,
    from_process,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
)
from tests.declared import EVERY

pytestmark = pytest.mark.caller_signs
ROLE = "arn:aws:iam::123456789012:role/App"
PRINT = "import json; print(json.dumps({'Version': 1, 'AccessKeyId': 'A', 'SecretAccessKey': 's'}))"
CONFIG = f"""
[profile static]
aws_access_key_id = AKIASTATIC
aws_secret_access_key = s

[profile process]
credential_process = {sys.executable} -c "{PRINT}"

[profile on-static]
role_arn = {ROLE}
source_profile = static

[profile on-environment]
role_arn = {ROLE}
credential_source = Environment

[profile file]
role_arn = {ROLE}
web_identity_token_file = <home>/token

[profile web]
role_arn = {ROLE}
web_identity_token = the-token
"""

#: What is built -> botocore's letters for it, as in its own table.
CASES = {
    "web token": (lambda _: from_web_token(role_arn=ROLE, web_identity_token="t0ken"), "k"),
    "token file of the environment": (lambda _: from_token_file(), "h k"),
    "token file in code": (
        lambda _: from_token_file(role_arn=ROLE, web_identity_token_file="token"),
        "k",
    ),
    "token file of a profile": (lambda _: from_ini(profile="file"), "k q"),
    "web token of a profile": (lambda _: from_ini(profile="web"), "k"),
    "http": (lambda url: from_http(aws_container_credentials_full_uri=url), "z"),
    "container": (lambda _: from_container_metadata(), "z"),
    "environment": (lambda _: from_env(), "g"),
    "process": (lambda _: from_process(profile="process"), "v w"),
    "static profile": (lambda _: from_ini(profile="static"), "n"),
    "role on a static profile": (lambda _: from_ini(profile="on-static"), "i n o"),
    "role on the environment": (lambda _: from_ini(profile="on-environment"), "g i p"),
    "temporary": (
        lambda _: from_temporary_credentials(
            params={"RoleArn": ROLE}, master_credentials=from_env()
        ),
        "g i",
    ),
    "default chain": (lambda _: from_default_chain(), "g"),
    "second link of a chain": (
        lambda _: create_credential_chain(from_http(), from_process(profile="process")),
        "v w",
    ),
}
LETTERS = {_USERAGENT_FEATURE_MAPPINGS[one] for one in _USERAGENT_FEATURE_MAPPINGS
           if one.startswith("CREDENTIALS_")}  # fmt: skip


def letters(request):
    sent = request.headers["User-Agent"].split(" m/")[1].split(" ")[0].split(",")
    return sorted(LETTERS & set(sent))


def requests_of(session):
    """Return what makes a signed request with the same client each time."""
    client = session.client("s3", config=Config(s3={"addressing_style": "path"}))

    def request():
        client.get_object(Bucket="b", Key="k")["Body"].read()

    return request


@pytest.mark.parametrize("name", CASES)
def test_user_agent_has_the_source_of_credentials(name, aws, config, world, monkeypatch):
    """On the request that used the credentials first, on later ones, and after a refresh."""
    (world / "token").write_text("the-token", encoding="utf-8")
    config(CONFIG.replace("<home>", str(world)))
    monkeypatch.chdir(world)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(world / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    make, expected = CASES[name]
    provider = make(aws.url)
    if name == "second link of a chain":
        monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    session = Session(credentials=provider, region_name="eu-west-1")
    request = requests_of(session)
    for _ in range(3):
        request()
        assert letters(aws.requests[-1]) == expected.split()
        session.get_credentials().invalidate()


def test_assume_role_has_the_source_of_its_credentials(aws, config):
    config(CONFIG)
    session = Session(credentials=from_ini(profile="on-static"), region_name="eu-west-1")
    requests_of(session)()
    assert aws.operations() == ["AssumeRole", "GET"]
    assert letters(aws.requests[0]) == ["e", "n"]  # e: botocore's, for explicit credentials


def test_user_agent_of_another_session_is_unchanged(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    botocore_ext.install()
    provider = from_web_token(role_arn=ROLE, web_identity_token="t0ken")
    mine = Session(credentials=provider, region_name="eu-west-1")
    mine.get_credentials().get_frozen_credentials()
    other = Session(region_name="eu-west-1")
    requests_of(other)()
    assert letters(aws.requests[-1]) == ["g"]


def test_botocore_knows_every_id():
    for kind in EVERY:
        assert set(kind.FEATURE_IDS) <= set(_USERAGENT_FEATURE_MAPPINGS), kind
