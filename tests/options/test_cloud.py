"""Tokens of Azure and Google Cloud: their own libraries, against imitations of their services."""

import json
import logging
import pickle
import re
import socket
import sys
import time

import boto3
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import botocore_ext
from botocore_ext import ConfigurationError, FetchError, explain
from botocore_ext.tokens import AzureToken, GoogleToken
from tests import fakes

JSON = "application/json"
ACCOUNT = {"email": "me@project.iam.gserviceaccount.com", "scopes": [], "aliases": []}
ROLE = "arn:aws:iam::123456789012:role/Web"


def token(audience="sts"):
    return fakes.jwt(audience, exp=int(time.time()) + 3600)


@pytest.fixture
def azure(aws, monkeypatch):
    """Run where Azure App Service gives a managed identity, and return what one asks with."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{aws.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", header := fakes.secret("identity-header"))

    def issue(request):
        request.gave = token()
        answer = {
            "access_token": request.gave,
            "expires_in": "3600",
            "expires_on": str(int(time.time()) + 3600),
            "resource": "api://aws",
            "token_type": "Bearer",
        }
        return fakes.Answer(json.dumps(answer).encode(), headers={"Content-Type": JSON})

    aws.always("GET", issue)
    return header


@pytest.fixture
def google(aws, monkeypatch):
    """Run on Google Cloud: names and addresses of the metadata service lead to the fake."""
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, port, *_, **__: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", aws.port))
        ],
    )

    def issue(request):
        request.gave = token()
        body = request.gave if "/identity" in request.target else json.dumps(ACCOUNT)
        kind = "text/plain" if "/identity" in request.target else JSON
        headers = {"Metadata-Flavor": "Google", "Content-Type": kind}
        return fakes.Answer(body.encode(), headers=headers)

    aws.always("GET", issue)


@pytest.fixture
def key_file(aws, world, monkeypatch):
    """The file of a service account, whose tokens come from the fake."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fakes.SECRETS.update(key.decode().splitlines()[1:-1])
    account = {
        "type": "service_account",
        "client_email": ACCOUNT["email"],
        "private_key": key.decode(),
        "private_key_id": "1",
        "token_uri": f"{aws.url}/google/token",
    }
    path = world / "account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def sent_to_sts(aws):
    return [
        one.parameters["WebIdentityToken"]
        for one in aws.requests
        if one.operation == "AssumeRoleWithWebIdentity"
    ]


def failed(source, text):
    with pytest.raises(FetchError, match=text) as caught:
        source()
    assert caught.value.__context__ is None


@pytest.mark.parametrize("cloud", ["azure", "google"])
def test_every_fetch_gets_another_token(cloud, aws, config, request):
    request.getfixturevalue(cloud)
    config(f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token = {cloud}://api://aws\n")
    botocore_ext.install()
    session = boto3.Session(profile_name="web")
    report = explain(session, offline=True)
    assert f"web_identity_token = {cloud}://api://aws" in report.text()
    credentials = session.get_credentials()
    assert aws.requests == []
    for _ in range(2):
        credentials.refresh()
    given = [one.gave for one in aws.requests if one.operation == "GET"]
    assert len({*sent_to_sts(aws)}) == 2
    assert {*sent_to_sts(aws)} <= {*given}


def test_the_audience_is_sent_to_azure(azure, aws):
    assert AzureToken("api://aws")() == aws.requests[-1].gave
    assert "resource=api://aws" in aws.requests[-1].target
    assert aws.requests[-1].headers["X-IDENTITY-HEADER"] == azure


def test_the_metadata_service_of_a_machine(azure, aws, monkeypatch):
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", aws.url)
    assert AzureToken("api://aws")() == aws.requests[-1].gave
    assert "/metadata/identity/oauth2/token" in aws.requests[-1].target
    assert azure not in str(aws.requests[-1].headers)


def test_another_credential_of_azure(azure, aws):
    """With a trace of the network, which shows the header, as one may have for other requests."""
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - takes long to load

    with ManagedIdentityCredential(logging_enable=True) as credential:
        source = AzureToken("api://aws", credential)
        assert source() == aws.requests[-1].gave
    assert repr(source) == "AzureToken(audience='api://aws')"
    assert azure in aws.requests[-1].headers["X-IDENTITY-HEADER"]


@pytest.mark.usefixtures("google")
def test_the_service_account_of_a_machine(aws):
    assert GoogleToken("sts")() == aws.requests[-1].gave
    assert "/identity?audience=sts" in aws.requests[-1].target


def test_the_file_of_a_service_account(key_file, aws):
    aws.script("POST", fakes.Answer(json.dumps({"id_token": (found := token())}).encode()))
    assert key_file.is_file()
    assert GoogleToken("sts")() == found
    assert aws.requests[0].target == "/google/token"


@pytest.mark.parametrize("cloud", ["azure", "google"])
def test_no_proxy_is_used_for_the_machines_service(cloud, aws, monkeypatch, request):
    """An address of this machine, or metadata.google.internal."""
    request.getfixturevalue(cloud)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.2:9")
    source = {"azure": AzureToken, "google": GoogleToken}[cloud]("api://aws")
    assert source() == aws.requests[-1].gave
    assert {one.target[0] for one in aws.requests} == {"/"}


def test_another_machine_is_called_through_the_proxy(key_file, aws, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", aws.url)
    account = json.loads(key_file.read_text())
    key_file.write_text(json.dumps(account | {"token_uri": "http://tokens.example.com/token"}))
    aws.script("POST", fakes.Answer(json.dumps({"id_token": (found := token())}).encode()))
    assert GoogleToken("sts")() == found
    assert aws.requests[0].target == "http://tokens.example.com/token"


def test_a_redirect_is_not_followed(key_file, aws):
    """The assertion in the request is worth a token."""
    assert key_file.is_file()
    elsewhere = {"Location": f"{aws.url}/elsewhere"}
    aws.script("POST", fakes.Answer(status=307, headers=elsewhere))
    failed(GoogleToken("sts"), r"Google issued no token \(RefreshError\): check that this is")
    assert [one.target for one in aws.requests] == ["/google/token"]


@pytest.mark.usefixtures("azure")
def test_what_azure_answers_is_not_shown(aws):
    answer = json.dumps({"error": fakes.secret("answer")}).encode()
    aws.scripts.clear()
    aws.always("GET", fakes.Answer(answer, 400, {"Content-Type": JSON}))
    failed(AzureToken("api://aws"), r"Azure issued no token \(ClientAuthenticationError\): check")


def test_what_google_answers_is_not_shown(key_file, aws):
    assert key_file.is_file()
    aws.always("POST", fakes.Answer(fakes.secret("answer").encode(), 400))
    failed(GoogleToken("sts"), r"Google issued no token \(RefreshError\): check that this is a")


def test_silence_is_given_up(key_file, aws, mocker):
    mocker.patch("botocore_ext.runtime.deadline.FETCH_BUDGET", 0.5)
    assert key_file.is_file()
    aws.always("POST", fakes.Answer(silence=2))
    failed(GoogleToken("sts"), "Google issued no token within 25 seconds: check")


@pytest.mark.parametrize(
    ("source", "package", "wanted"),
    [
        (AzureToken("api://aws"), "azure.identity", "azure-identity"),
        (GoogleToken("sts"), "google.auth.transport.requests", "'google-auth[requests]'"),
    ],
)
def test_an_error_names_the_package(source, package, wanted, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError, match=re.escape(f"`pip install {wanted}`")):
        source()


def test_they_travel_as_their_audiences():
    for one in (AzureToken("api://aws"), GoogleToken("sts")):
        assert pickle.loads(pickle.dumps(one)) == one


def test_a_logger_that_the_first_call_creates(azure, aws, caplog, monkeypatch):
    """azure-core creates this one with each client, and so in the middle of the first call."""
    name = "azure.core.pipeline.policies.http_logging_policy"
    monkeypatch.delitem(logging.root.manager.loggerDict, name, raising=False)
    with caplog.at_level(logging.DEBUG):
        AzureToken("api://aws")()
    assert aws.requests
    assert [one.name for one in caplog.records if one.name.startswith("azure")] == []


def test_their_logs_are_as_before_afterwards(azure, aws, caplog):
    AzureToken("api://aws")()
    caplog.clear()
    logger = logging.getLogger("azure.identity")
    with caplog.at_level(logging.DEBUG, logger="azure.identity"):
        logger.debug("anything")
    assert caplog.messages == ["anything"]
    assert azure in aws.requests[-1].headers["X-IDENTITY-HEADER"]
