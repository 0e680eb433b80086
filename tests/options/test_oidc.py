"""Tokens that a place issues for what runs in it, each from an imitation of that place.

The package ``id`` does the asking for ``ambient://`` and is as it was installed: only what is
outside of it is made up (variables, programs, names of hosts). One thing is not to be had that way,
the file by which Linux tells that it runs on Google Cloud.
"""

import json
import pickle
import socket
import ssl
import sys

import boto3
import pytest
import urllib3

import botocore_ext
from botocore_ext import ConfigurationError, FetchError, Scope, from_web_token
from botocore_ext.runtime.deadline import run_with_budget, share_of_budget
from botocore_ext.tokens import AmbientToken, GitHubActionsToken
from tests import certificates, fakes

AUDIENCE = "sts.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/Job"


@pytest.fixture(autouse=True)
def _no_connection_of_another_test(monkeypatch):
    """The package ``id`` uses the connections that urllib3 keeps for the whole process."""
    with urllib3.PoolManager() as pool:
        monkeypatch.setattr("urllib3._DEFAULT_POOL", pool)
        yield


def sent_to_sts(aws):
    """Return the tokens that roles were assumed with."""
    return [
        one.parameters["WebIdentityToken"]
        for one in aws.requests
        if one.operation == "AssumeRoleWithWebIdentity"
    ]


# GitHub Actions, asked by ourselves.


@pytest.mark.parametrize("scheme", ["github-actions", "ambient"])
def test_a_token_is_fetched_inside_each_refresh(scheme, job, aws, config):
    config(f"[profile job]\nrole_arn = {ROLE}\nweb_identity_token = {scheme}://{AUDIENCE}\n")
    botocore_ext.install()
    credentials = boto3.Session(profile_name="job").get_credentials()
    assert aws.requests == []
    for _ in range(2):
        credentials.refresh()
    asked = [one for one in aws.requests if one.operation == "GetIdToken"]
    assert {one.target for one in asked} == {f"/idtoken?api-version=2.0&audience={AUDIENCE}"}
    assert {one.headers["Authorization"] for one in asked} == {f"bearer {job}"}
    assert sent_to_sts(aws) == [one.gave for one in asked]
    assert len({*sent_to_sts(aws)}) == 2


@pytest.mark.parametrize("address", ["idtoken", "idtoken?", "idtoken?a=1"])
def test_the_audience_is_one_more_parameter(address, job, aws, monkeypatch):
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{aws.url}/{address}")
    token = GitHubActionsToken("https://github.com/octo-org?a&b")()
    assert token == aws.requests[0].gave
    encoded = "audience=https%3A%2F%2Fgithub.com%2Focto-org%3Fa%26b"
    assert aws.requests[0].target.endswith(f"{'&' if '?' in address else '?'}{encoded}")
    assert job in aws.requests[0].headers["Authorization"]


@pytest.mark.usefixtures("job")
def test_audience_that_is_not_utf8_is_sent_replaced(aws):
    GitHubActionsToken("a\ud800")()
    assert aws.requests[0].target.endswith("&audience=a%3F")


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("kind", [GitHubActionsToken, AmbientToken])
def test_token_request_is_not_logged(kind, aws, logs):
    aws.script("GetIdToken", fakes.Answer(reset=True))  # and so it is asked again
    kind(AUDIENCE)()
    assert len(aws.requests) == 2
    assert not [one for one in logs if "idtoken" in one]


@pytest.mark.parametrize("name", ["URL", "TOKEN"])
@pytest.mark.parametrize("value", [None, " "])
def test_job_without_permission_gets_the_remedy(name, value, job, aws, monkeypatch):
    name = f"ACTIONS_ID_TOKEN_REQUEST_{name}"
    monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    with pytest.raises(FetchError) as caught:
        GitHubActionsToken(AUDIENCE)()
    assert caught.value.reason == (
        f"the environment variable {name} is not set: give the job "
        "`permissions: id-token: write` (a pull request from a fork does not get it)"
    )
    assert aws.requests == []


@pytest.mark.usefixtures("job", "aws")
@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("URL", "http://203.0.113.7/idtoken", "names the host 203.0.113.7 .plain http is allowed"),
        ("URL", "not a URL", "contains white space"),
        ("TOKEN", "a\nb", "contains a line break"),
    ],
)
def test_variables_of_the_job_are_checked(name, value, text, monkeypatch):
    monkeypatch.setenv(f"ACTIONS_ID_TOKEN_REQUEST_{name}", value)
    with pytest.raises(FetchError, match=f"_{name} {text}.*: GitHub sets it"):
        GitHubActionsToken(AUDIENCE)()


#: Refusals that pass, as the official clients of these places treat them.
TRANSIENT = [
    *(fakes.Answer(status=status) for status in (408, 429, 500, 502, 503, 504)),
    fakes.Answer(b'{"message": "You have exceeded a secondary rate limit."}', 403),
    fakes.Answer(b'{"error": {"status": "rateLimitExceeded"}}', 403),
]
FINAL = [
    *(fakes.Answer(status=status) for status in (400, 401, 403, 404, 422)),
    fakes.Answer(b'{"message": "Resource not accessible by integration"}', 403),
]


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("kind", [GitHubActionsToken, AmbientToken])
def test_temporary_failures_of_github_are_retried(kind, aws, clock):
    source = kind(AUDIENCE, scope=Scope(clock=clock))
    for answer in TRANSIENT:
        aws.requests.clear()
        aws.script("GetIdToken", answer, answer)
        assert source() == aws.requests[2].gave, answer
        aws.script("GetIdToken", answer, answer, answer)
        with pytest.raises(FetchError, match=f"answered with status {answer.status}: "):
            source()
        assert len(aws.requests) == 6
    for answer in FINAL:
        aws.requests.clear()
        aws.script("GetIdToken", answer)
        with pytest.raises(FetchError, match="give the job `permissions: id-token: write`"):
            source()
        assert len(aws.requests) == 1, answer


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b"\xff"])
def test_answer_without_a_token_is_retried(body, aws, clock):
    aws.script("GetIdToken", fakes.Answer(body), fakes.Answer(body, 503))
    token = AmbientToken(AUDIENCE, scope=Scope(clock=clock))()
    assert token == aws.requests[2].gave


@pytest.mark.usefixtures("job")
def test_ambient_attempts_end_with_the_fetch(aws, clock):
    """As long as there is time for another one; STS must be asked with what is left."""
    slow = [lambda _: clock.advance(10) or fakes.Answer(status=503)] * 3
    aws.script("GetIdToken", *slow)
    source = AmbientToken(AUDIENCE, scope=Scope(clock=clock))
    web = from_web_token(role_arn=ROLE, web_identity_token=source).bind(Scope(clock=clock))
    with pytest.raises(FetchError, match="could not be retrieved: it answered with status 503"):
        web.load().get_frozen_credentials()
    assert aws.operations() == ["GetIdToken"] * 2


@pytest.mark.usefixtures("job")
def test_a_refusal_is_final_and_not_shown(aws):
    aws.script("GetIdToken", fakes.Answer(fakes.secret("answer").encode(), status=403))
    with pytest.raises(FetchError, match="answered with status 403: give the job `permissions:"):
        GitHubActionsToken(AUDIENCE)()
    assert len(aws.requests) == 1


@pytest.mark.usefixtures("job")
def test_a_redirect_is_not_followed(aws):
    elsewhere = {"Location": f"{aws.url}/elsewhere"}
    aws.script("GetIdToken", fakes.Answer(status=307, headers=elsewhere))
    with pytest.raises(FetchError, match="status 307"):
        GitHubActionsToken(AUDIENCE)()
    assert len(aws.requests) == 1


@pytest.mark.usefixtures("job", "uncollected")
@pytest.mark.parametrize("body", ["", "[]", "{}", '{"value": 1}', '{"value": " "}', "[" * 9999])
def test_an_answer_without_a_token_is_an_error(body, aws, clock):
    aws.script("GetIdToken", *[fakes.Answer(body.encode())] * 3)
    with pytest.raises(FetchError, match="answered without a token: see the status page"):
        GitHubActionsToken(AUDIENCE, scope=Scope(clock=clock))()


@pytest.mark.usefixtures("job")
def test_silence_is_given_up(aws, clock):
    aws.script("GetIdToken", *[fakes.Answer(silence=30)] * 3)
    with pytest.raises(FetchError, match=r"sent no data for 0\.5 s: raise the timeout"):
        GitHubActionsToken(AUDIENCE, timeout=0.5, scope=Scope(clock=clock))()
    assert fakes.comes_true(lambda: len(aws.requests) == 3)  # given up before the server sees it


@pytest.mark.usefixtures("job")
def test_a_token_that_comes_a_byte_at_a_time_is_given_up(aws, clock):
    """By the thread that sees it first: the one that reads, or the one that waits."""
    aws.script("GetIdToken", *[fakes.Answer(b"{" * 500, drip=0.05)] * 3)
    with pytest.raises(FetchError, match=r"in full within 0\.4 s|before its answer was complete"):
        GitHubActionsToken(AUDIENCE, timeout=0.2, scope=Scope(clock=clock))()


@pytest.mark.usefixtures("job")
def test_what_it_takes_to_ask_github_is_part_of_the_fetch(aws, clock):
    """Three attempts of seven seconds leave too little for STS, which is told and not asked."""

    def slow(_):
        clock.advance(7)
        return fakes.Answer(status=503)

    source = GitHubActionsToken(AUDIENCE, scope=Scope(clock=clock))
    web = from_web_token(role_arn=ROLE, web_identity_token=source).bind(Scope(clock=clock))
    aws.script("GetIdToken", slow, slow, lambda request: clock.advance(7) or aws.id_token(request))
    with pytest.raises(FetchError, match="did not answer within the 25 seconds of one fetch"):
        web.load().get_frozen_credentials()
    assert aws.operations() == ["GetIdToken"] * 3
    aws.script("GetIdToken", *[lambda _: clock.advance(10) or fakes.Answer(status=503)] * 3)
    with pytest.raises(FetchError, match="status 503"):  # a third one could end too late
        web.load().refresh()
    assert aws.operations() == ["GetIdToken"] * 5


@pytest.mark.usefixtures("job")
def test_what_a_process_took_before_is_not_counted(aws, clock):
    source = GitHubActionsToken(AUDIENCE, scope=Scope(clock=clock))

    def fetch():
        clock.advance(60)
        aws.script("GetIdToken", fakes.Answer(status=503))
        return source()

    assert run_with_budget(clock.monotonic, fetch) == aws.requests[1].gave


@pytest.mark.usefixtures("job", "aws")
def test_the_sources_travel_as_their_audiences():
    source = GitHubActionsToken(AUDIENCE, timeout=1)
    assert pickle.loads(pickle.dumps(source)) == source
    assert pickle.loads(pickle.dumps(AmbientToken(AUDIENCE))) == AmbientToken(AUDIENCE)
    assert repr(source) == f"GitHubActionsToken(audience='{AUDIENCE}', timeout=1)"


def test_another_name_is_not_a_source():
    with pytest.raises(AttributeError, match="has no attribute 'Vault'"):
        _ = botocore_ext.tokens.Vault


# What the package id detects.


def detected(text):
    """Fail to get a token, with this in the error, and give all of it."""
    with pytest.raises(FetchError, match=text) as caught:
        AmbientToken(AUDIENCE, scope=Scope(clock=fakes.FakeClock()))()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.reason


def test_no_token_outside_a_known_service():
    detected("the ambient token is not available here: this is not GitHub Actions, Google Cloud,")


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "id", None)
    with pytest.raises(ConfigurationError, match="run `pip install id`"):
        AmbientToken(AUDIENCE)()


def test_github_without_the_permission(job, monkeypatch):
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert job not in detected(
        "of GitHub could not be retrieved: give the job `permissions: id-tok"
    )


@pytest.mark.usefixtures("job")
def test_what_github_answers_is_not_shown(aws):
    aws.always("GetIdToken", fakes.Answer(fakes.secret("answer").encode(), status=500))
    detected("the ambient token of GitHub could not be retrieved")


@pytest.mark.usefixtures("job")
def test_token_for_another_audience_is_refused(aws):
    body = json.dumps({"value": fakes.jwt("another user")}).encode()
    aws.script("GetIdToken", fakes.Answer(body))
    detected(r"is not for this audience alone \(AmbientCredentialError\): check the audience")


@pytest.mark.usefixtures("job")
def test_bytes_that_are_not_text_are_not_shown(aws):
    """An answer of another encoding is an error of Python that holds all of it."""
    aws.always("GetIdToken", fakes.Answer(b"\xff" + fakes.secret("answer").encode(), status=500))
    detected(r"is not for this audience alone \(UnicodeDecodeError\)")


@pytest.mark.usefixtures("job")
def test_a_place_that_stays_silent_is_given_up(aws, mocker):
    mocker.patch("botocore_ext.runtime.deadline.FETCH_BUDGET", 0.2)
    aws.always("GetIdToken", fakes.Answer(silence=30))
    detected("the ambient token was not issued within 25 seconds: check the service that issues it")


@pytest.fixture
def google(monkeypatch, tmp_path):
    """Google's two hosts, by name: one that answers http, and one that has a certificate."""
    metadata, credentials = fakes.FakeAws(), fakes.FakeAws()
    trusted, chain = certificates.write(tmp_path, "iamcredentials.googleapis.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    credentials.server.socket = context.wrap_socket(credentials.server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    ports = {
        ("metadata", 80): metadata.port,
        ("iamcredentials.googleapis.com", 443): credentials.port,
    }

    def resolved(host, port, *_, **__):
        address = ("127.0.0.1", ports[host, port])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    yield metadata, credentials
    metadata.close()
    credentials.close()


def test_google_cloud_by_impersonation(google, monkeypatch):
    metadata, credentials = google
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_NAME", "me@project.iam.gserviceaccount.com")
    for _ in range(2):
        access, token = fakes.secret("access-token"), fakes.jwt(AUDIENCE)
        metadata.script("GET", fakes.Answer(json.dumps({"access_token": access}).encode()))
        credentials.script("POST", fakes.Answer(json.dumps({"token": token}).encode()))
        assert AmbientToken(AUDIENCE)() == token
        assert credentials.requests[-1].headers["Authorization"] == f"Bearer {access}"
        assert credentials.requests[-1].parameters["audience"] == AUDIENCE
    assert metadata.requests[0].headers["Metadata-Flavor"] == "Google"


def test_google_cloud_by_the_service_account_of_the_instance(google, monkeypatch, tmp_path):
    """With another path for the file of Linux that names the machine's maker."""
    (tmp_path / "product_name").write_text("Google Compute Engine\n")
    name = "id._internal.oidc.ambient._GCP_PRODUCT_NAME_FILE"
    monkeypatch.setattr(name, str(tmp_path / "product_name"))
    for _ in range(2):
        google[0].script("GET", fakes.Answer((token := fakes.jwt(AUDIENCE)).encode()))
        assert AmbientToken(AUDIENCE)() == token
    assert google[0].requests[0].target.endswith(f"/identity?audience={AUDIENCE}&format=full")


@pytest.mark.parametrize(
    "answer", [fakes.Answer(status=500), fakes.Answer(b"[]"), fakes.Answer(b"{", status=404)]
)
def test_what_google_cloud_answers_is_not_shown(answer, google, monkeypatch):
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_NAME", "me@project.iam.gserviceaccount.com")
    google[0].always("GET", fakes.Answer(fakes.secret("x").encode() + answer.body, answer.status))
    detected("the ambient token ")


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Write a program that is found by its name."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)

    return write


#: What tells of the place -> its program, and what that is called with.
AGENTS = {
    "BUILDKITE": ("buildkite-agent", f"oidc request-token --audience {AUDIENCE}"),
    "CIRCLECI": ("circleci", f'run oidc get --claims {{"aud": "{AUDIENCE}"}} --root-issuer'),
}


def test_tokens_of_one_fetch_share_its_time(clock):
    """The time begins with the first request: what a function took before does not count."""

    def fetch():
        clock.advance(100)
        assert share_of_budget() == 25
        clock.advance(10)
        assert share_of_budget() == 15

    run_with_budget(clock.monotonic, fetch)
    assert share_of_budget() == 25


@pytest.mark.parametrize("place", AGENTS)
def test_a_place_with_an_agent_prints_the_token(place, program, monkeypatch):
    name, arguments = AGENTS[place]
    monkeypatch.setenv(place, "true")
    for _ in range(2):
        token = fakes.jwt(AUDIENCE)
        program(name, f"test \"$*\" = '{arguments}' && echo '{token}'")
        assert AmbientToken(AUDIENCE)() == token


@pytest.mark.parametrize("place", AGENTS)
def test_what_an_agent_that_fails_prints_is_not_shown(place, program, monkeypatch):
    monkeypatch.setenv(place, "true")
    detected(f"could not be retrieved: check that {AGENTS[place][0]} is on PATH, and see ")
    program(AGENTS[place][0], f"echo {fakes.secret('printed')} | tee /dev/stderr; exit 1")
    detected(f"could not be retrieved: check that {AGENTS[place][0]} is on PATH, and see ")


def test_agent_that_hangs_is_left_to_its_thread(program, monkeypatch, mocker):
    mocker.patch("botocore_ext.runtime.deadline.FETCH_BUDGET", 0.2)
    monkeypatch.setenv("BUILDKITE", "true")
    program("buildkite-agent", "exec /bin/sleep 0.5")
    detected("the ambient token was not issued within 25 seconds")


def test_gitlab_has_it_in_a_variable(monkeypatch):
    monkeypatch.setenv("GITLAB_CI", "true")
    detected("of GitLab could not be retrieved: add it to `id_tokens` of the job")
    for _ in range(2):
        monkeypatch.setenv("STS_AMAZONAWS_COM_ID_TOKEN", token := fakes.jwt(AUDIENCE))
        assert AmbientToken(AUDIENCE)() == token
