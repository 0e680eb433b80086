"""``explain``: its text for common mistakes, and that it changes nothing."""

import copy
import json
import logging
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    EnvProvider,
    SSOProvider,
)
from botocore.tokens import SSOTokenProvider
from botocore.utils import ContainerMetadataFetcher

import botocore_ext
from botocore_ext import errors
from botocore_ext.__main__ import main
from botocore_ext.explanation import values
from botocore_ext.explanation.botocore_rules import RULES
from botocore_ext.explanation.view import View
from botocore_ext.runtime.context import notify, run_with_listener
from botocore_ext.session.resolver import loaded_credentials
from tests import fakes, searching
from tests.parity import cases
from tests.tools import explaining

PAGE = Path(__file__).parent.parent.parent / "docs" / "explain.md"
POOL = "cognito_identity_pool_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
MOBILE = f"[profile mobile]\n{POOL}\n"
STATIC = "[profile dev]\naws_access_key_id = AKIASTATIC\naws_secret_access_key = secret\n"
#: A role; a test adds its source.
APP = "[profile app]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/App\n"
SSO = "sso_account_id = 1\nsso_role_name = R\nsso_start_url = https://x\nsso_region = us-east-1\n"
#: A process that creates a file if it is run.
RUNS = "credential_process = touch {}\n"
NOT_KEYS = (
    "<lambda> did not return credentials: str is neither FrozenCredentials, botocore credentials "
    "nor a mapping"
)
UNABLE = "Unable to locate credentials"
CASES = [pytest.param(case, id=case["name"]) for case in explaining.read()]
WITH_BOTO3 = [one for one in CASES if "boto3" in one.values[0]]


@pytest.fixture
def home(world, monkeypatch):
    """Use the default paths of the AWS files."""
    monkeypatch.delenv("AWS_CONFIG_FILE")
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    # botocore resolves the home directory when it is imported.
    for kind in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(kind, "_SSO_TOKEN_CACHE_DIR", str(world / ".aws" / "sso" / "cache"))
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    return world


def prepared(case, home, aws, monkeypatch):
    """Set up the files, environment and answers of a case, and return the case."""
    case = cases.filled(case, cases.known_in(aws, home))
    short = {f".aws/{name}": case.pop(name) for name in ("config", "credentials") if name in case}
    files = case.get("files", {}) | short
    cases.prepare({**case, "files": files}, home, aws, monkeypatch)
    return case


def boto3_says(arguments):
    """Return the error of a program that uses boto3; an empty text if it gets credentials."""
    given = dict(pairwise(arguments))
    try:
        credentials = boto3.Session(profile_name=given.get("--profile")).get_credentials()
        if credentials is None:
            return UNABLE
        credentials.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001 - whatever a program would end with
        return " ".join(str(error).split())
    return ""


def outcomes(explanation):
    """Return the outcomes of the providers that are configured."""
    return {
        step.provider: step.outcome.value
        for step in explanation.steps
        if step.outcome.value != "not configured"
    }


def step_of(explanation, provider):
    return next(step for step in explanation.steps if step.provider == provider)


@pytest.mark.caller_signs
@pytest.mark.parametrize("case", CASES)
def test_explain_prints_the_text_of_the_page(case, home, aws, monkeypatch, capsys):
    case = prepared(case, home, aws, monkeypatch)
    # Wrapped only after what differs from run to run has its final length.
    monkeypatch.setenv("COLUMNS", "1000")
    status = main(["explain", *case.get("arguments", [])])
    output = capsys.readouterr()
    assert explaining.wrapped(explaining.steady(output.out)) == case["output"]
    assert (status, output.err) == (case["status"], "")
    assert not searching.shown([output.out])


@pytest.mark.caller_signs
@pytest.mark.parametrize("case", WITH_BOTO3)
def test_boto3_ends_with_the_error_of_the_page(case, home, aws, monkeypatch):
    case = prepared(case, home, aws, monkeypatch)
    arguments = case.get("arguments", [])
    if "--plain" not in arguments:
        botocore_ext.install()
    says = explaining.steady(boto3_says(arguments)).replace(str(home), "~")
    assert says == case["boto3"]


def test_page_shows_the_cases():
    begin, end = (
        "<!-- begin of the cases (written by python -m tests.tools.explaining) -->\n",
        "<!-- end of the cases",
    )
    between = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    assert between.strip() == explaining.page().strip(), "run python -m tests.tools.explaining"


# Nothing is sent or run.


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (f"[profile app]\n{POOL}\n", "custom-cognito-identity-pool"),
        (f"[profile app]\n{RUNS}", "custom-process"),
        (f"{APP}source_profile = q\n[profile q]\n{RUNS}", "assume-role"),
        (f"{APP}web_identity_token_file = /token\n", "assume-role-with-web-identity"),
        (f"[profile app]\n{SSO}", "sso"),
        ("[profile app]\nlogin_session = arn:aws:iam::1:user/me\n", "login"),
        ("[profile app]\nregion = eu-west-1\n", "iam-role"),
    ],
)
def test_offline_sends_no_request_and_runs_no_program(
    text, first, config, aws, commands, world, monkeypatch
):
    config(text.format(world / "ran"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"), offline=True)
    assert next(iter(outcomes(explanation).items())) == (first, "not tried")
    assert explanation.found is None
    assert (aws.requests, aws.connections, commands) == ([], 0, [])


ROLE = "role_arn = arn:aws:iam::123456789012:role/R\n"
WEB = f"[profile web]\nweb_identity_token = env://TOKEN\n{ROLE}"
HTTP = "container_credentials_full_uri = https://example.com\n"
#: Profiles that cannot work, whatever the services answer, each with a part of the reason.
BROKEN = {
    "a missing source": (f"{APP}source_profile = q", "source_profile = q, which does not exist"),
    "a source of a source": (
        f"{APP}source_profile = p\n[profile p]\n{ROLE}source_profile = q",
        "profile 'p' of ",
    ),
    "a loop": (
        f"{APP}source_profile = p\n[profile p]\n{ROLE}source_profile = app",
        "depends on itself (app -> p -> app)",
    ),
    "itself, without credentials": (f"{APP}source_profile = app", "depends on itself (app -> app)"),
    "no source": (APP, "no source of the credentials that assume the role"),
    "two sources": (
        f"{APP}source_profile = dev\ncredential_source = Environment\n{STATIC}",
        "has both source_profile and credential_source",
    ),
    "an empty source": (
        f"{APP}source_profile = q\n[profile q]\nregion = eu-west-1",
        "profile 'q' of {config} has no credentials: add some",
    ),
    "half of a source": (
        f"{APP}source_profile = q\n[profile q]\naws_access_key_id = AKIA",
        "profile 'q' of {config} has an access key but no aws_secret_access_key",
    ),
    "an unknown credential_source": (
        f"{APP}credential_source = Envronment",
        "not a known provider: did you mean Environment?",
    ),
    "no variables": (f"{APP}credential_source = Environment", "but AWS_ACCESS_KEY_ID is not set"),
    "our source without settings": (
        f"{APP}credential_source = CustomCognitoIdentityPool",
        "cognito_identity_pool_id is not set in profile 'app'",
    ),
    "our source with others' settings": (
        f"{APP}credential_source = CustomHttp\n{HTTP}{POOL}",
        "has both cognito_identity_pool_id and container_credentials_full_uri",
    ),
    "our source profile, incomplete": (
        f"{APP}source_profile = web\n{WEB.replace(ROLE, '')}",
        "role_arn is not set in profile 'web'",
    ),
    "our source profile, contradictory": (
        f"{APP}source_profile = q\n[profile q]\n{HTTP}{POOL}",
        "profile 'q' of {config} has both",
    ),
    "a role of a source next to ours": (
        f"{APP}source_profile = q\n[profile q]\n{ROLE}source_profile = dev\n{POOL}\n{STATIC}",
        "profile 'q' of {config} has both source_profile and cognito_identity_pool_id",
    ),
    "conflicting settings": (f"[profile app]\n{HTTP}{POOL}", "has both"),
    "no role": (WEB.replace("web]", "app]").replace(ROLE, ""), "role_arn is not set"),
    "a malformed role": (
        WEB.replace("web]", "app]").replace(ROLE, "role_arn = R"),
        "role_arn in profile 'app' is not an ARN",
    ),
    "an unknown reference": (
        WEB.replace("web]", "app]").replace("env", "evn"),
        "is not a known kind of token reference; did you mean env://?",
    ),
    "a chain of nothing": (
        "[profile app]\ncredential_chain = Environment, profile q, profile r\n[profile r]\n",
        "no link of the chain",
    ),
    "a chain with an unknown link": ("[profile app]\ncredential_chain = Nobody", "Nobody, which"),
    "a chain with a broken link": (
        f"[profile app]\ncredential_chain = profile web\n{WEB.replace(ROLE, '')}",
        "role_arn is not set in profile 'web'",
    ),
    "a chain with a broken role": (
        f"[profile app]\ncredential_chain = profile q\n[profile q]\n{ROLE}source_profile = r",
        "source_profile = r, which does not exist",
    ),
    "a chain of chains": (
        "[profile app]\ncredential_chain = profile q\n[profile q]\ncredential_chain = profile app",
        "depends on itself",
    ),
    "a role of ours": (
        f"{APP}source_profile = q\nbotocore_ext_reload = true",
        "source_profile = q, which does not exist",
    ),
    "nothing to read again": (
        "[profile app]\nbotocore_ext_reload = true\nregion = eu-west-1",
        "profile 'app' of {config} has no credentials: add some",
    ),
    "no sso-session": (
        "[profile app]\nsso_session = q\nsso_account_id = 1\nsso_role_name = R",
        "[sso-session q] is not in",
    ),
    "half of sso": (
        "[profile app]\nsso_account_id = 1\n",
        "sso_start_url or sso_region or sso_role_name: run `aws configure sso --profile app`",
    ),
    "a token file without a role": (
        "[profile app]\nweb_identity_token_file = /token",
        "the token file /token is configured without a role",
    ),
    "an empty process": ("[profile app]\ncredential_process =", "is empty: write the command"),
}


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_profile_fails_offline_too(name, offline, config, aws, capsys):
    """As boto3 does: a selection with an error is a failure."""
    text, reason = BROKEN[name]
    file = config(text)
    arguments = ["explain", "app", "--json", *(["--offline"] if offline else [])]
    assert main(arguments) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["verdict"] == "failed"
    assert reason.replace("{config}", str(file)) in data["notes"][0]
    assert aws.requests == []
    assert boto3_says(["--profile", "app"])


@pytest.mark.caller_signs
@pytest.mark.parametrize(
    "text",
    [
        f"{APP}source_profile = dev\n{STATIC}{ROLE}source_profile = app",
        f"{APP}source_profile = app\n{STATIC.partition(chr(10))[2]}",
        (
            f"{APP}source_profile = q\n[profile q]\naws_session_token = t\n{ROLE}"
            f"source_profile = dev\n{STATIC}"
        ),
        f"{APP}source_profile = q\n[profile q]\n{POOL}",
        f"{APP}credential_source = CustomCognitoIdentityPool\n{POOL}",
        f"{APP}source_profile = q\nbotocore_ext_reload = true\n[profile q]\n{POOL}",
        f"[profile app]\ncredential_chain = profile dev, profile web\n{STATIC}{WEB}",
        f"[profile app]\ncredential_chain = profile q, profile dev\n[profile q]\n{STATIC}",
        f"[profile app]\ncredential_chain = profile dev\n{STATIC}botocore_ext_reload = true",
        f"[profile app]\nbotocore_ext_reload = true\nsso_account_id = 1\n{POOL}",
        f"{APP}source_profile = q\n[profile q]\nbotocore_ext_reload = true\n{POOL}",
        (
            f"[profile app]\ncredential_chain = profile dev\n{STATIC}{ROLE}source_profile = q\n"
            f"[profile q]\n{POOL}"
        ),
        (
            f"[profile app]\ncredential_chain = SharedConfig, profile web\n"
            f"{STATIC.partition(chr(10))[2]}{WEB.replace(ROLE, '')}"
        ),
    ],
)
def test_sound_profile_is_configured_offline(text, config, aws):
    """And has credentials then, so that the check is never stricter than boto3."""
    config(text)
    botocore_ext.install()
    assert botocore_ext.explain(boto3.Session(profile_name="app"), offline=True).verdict == (
        "configured"
    )
    assert not aws.requests
    assert boto3_says(["--profile", "app"]) == ""


def test_chain_of_nothing_says_why_offline(config):
    config("[profile app]\ncredential_chain = Environment, profile q\n[profile q]\n")
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"), offline=True)
    assert explanation.notes[0].startswith(
        "no link of the chain is configured (Environment: AWS_ACCESS_KEY_ID is not set; profile q: "
        "profile 'q' of "
    )


def test_code_is_configured_offline_without_the_profile(monkeypatch, tmp_path):
    """What it finds is elsewhere: in the environment, or in files of its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (tmp_path / "config").write_text(STATIC)
    file = {"filepath": str(tmp_path / "none"), "config_filepath": str(tmp_path / "config")}
    for provider in (
        botocore_ext.from_default_chain(),
        botocore_ext.from_ini(profile="dev", **file),
        botocore_ext.create_credential_chain(botocore_ext.from_default_chain()),
    ):
        session = botocore_ext.Session(credentials=provider)
        assert botocore_ext.explain(session, offline=True).verdict == "configured"
        assert session.get_credentials().get_frozen_credentials()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{APP}credential_source = CustomHttp\n{HTTP}", "CustomHttp, which only botocore_ext has"),
        (f"{APP}credential_source = from_env\n", "from_env, which only botocore_ext has"),
        (f"{APP}source_profile = q\n[profile q]\n{POOL}", "profile 'q' of "),
    ],
)
def test_our_source_is_broken_in_plain_boto3(text, reason, config, capsys):
    config(text)
    assert main(["explain", "app", "--plain", "--offline"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert reason in printed
    assert ("call botocore_ext.install()" in printed) is ("from_env" not in text)


def test_offline_finds_credentials_in_files(config):
    config(STATIC)
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"), offline=True)
    assert explanation.found.access_key == "*" * 16 + "ATIC"


def test_providers_after_the_used_one_are_skipped(config, aws, commands, world, monkeypatch):
    config(STATIC.replace("dev", "p") + RUNS.format(world / "ran"))
    (world / "credentials").write_text(
        "[p]\naws_access_key_id = AKIAFIRST\naws_secret_access_key = s"
    )
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    explanation = botocore_ext.explain(botocore.session.Session(profile="p"))
    assert outcomes(explanation) == {
        "shared-credentials-file": "found",
        "custom-process": "skipped",
        "config-file": "skipped",
        "container-role": "skipped",
        "iam-role": "skipped",
    }
    assert (aws.connections, commands) == (0, [])
    assert step_of(explanation, "iam-role").reason == "an earlier provider was used"


def test_providers_after_a_failed_one_are_skipped(config, commands, world, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAALONE")
    config(f"[default]\naws_access_key_id = AKIAALONE\n{RUNS.format(world / 'ran')}")
    explanation = botocore_ext.explain()
    assert outcomes(explanation) == {
        "env": "failed",
        "custom-process": "skipped",
        "config-file": "skipped",  # it would fail, too
    }
    assert step_of(explanation, "config-file").reason == "an earlier provider failed"
    assert commands == []


# The session stays unchanged.


def handlers(session):
    emitter = session.get_component("event_emitter")
    return repr(copy.copy(emitter)._emitter._handlers._root)


@pytest.fixture(params=["plain", "installed", "extended", "used", "only"])
def session(request, config):
    """A session of each kind, with a profile or a provider of its own."""
    config(MOBILE + STATIC)
    made = botocore.session.Session(profile="mobile")
    if request.param == "installed":
        botocore_ext.install()
        made = botocore.session.Session(profile="mobile")
    if request.param in ("extended", "used"):
        botocore_ext.extend(made)
    if request.param == "used":
        made.get_component("credential_provider")
    if request.param == "only":
        pool = botocore_ext.from_cognito_identity_pool(identity_pool_id=POOL.split()[2])
        made = botocore_ext.Session(credentials=pool)._session
    return made


def test_session_stays_unchanged(session, aws):
    botocore_ext.explain(session)
    asked = len(aws.requests)
    assert loaded_credentials(session) is None
    credentials = session.get_credentials()
    if credentials is not None:
        assert credentials.method == "custom-cognito-identity-pool"
        credentials.get_frozen_credentials()
        assert len(aws.requests) > asked  # no credentials are left over


def test_session_gets_no_handler(config, aws):
    config(f"{APP}source_profile = mobile\n{MOBILE}")
    botocore_ext.install()
    session = botocore.session.Session(profile="app")
    before = handlers(session)
    assert botocore_ext.explain(session).found
    assert handlers(session) == before


@pytest.mark.caller_signs
def test_first_client_still_sets_the_region_of_roles(config, aws):
    """The region is taken when the resolver is created, which explain() must not do."""
    config(f"{APP}source_profile = dev\n{STATIC}")
    session = boto3.Session(profile_name="app")
    botocore_ext.explain(session, offline=True)
    session.client("s3", region_name="ap-southeast-2").list_buckets()
    signed = next(one for one in aws.requests if one.operation == "AssumeRole")
    assert "/ap-southeast-2/sts/" in signed.headers["Authorization"]


def test_handlers_of_the_caller_see_inner_calls(config, aws):
    config(MOBILE)
    botocore_ext.install()
    session, seen = botocore.session.Session(profile="mobile"), []
    session.register("before-call", lambda model, **_: seen.append(model.name))
    botocore_ext.explain(session)
    assert seen == ["GetId", "GetCredentialsForIdentity"]


def test_call_answered_by_a_handler_is_not_listed(config, aws):
    """Then botocore runs no other handler before the call, but all of them after it."""
    config(MOBILE)
    botocore_ext.install()
    session = botocore.session.Session(profile="mobile")
    answer = {"IdentityId": POOL.split()[2]}
    session.register(
        "before-call.cognito-identity.GetId", lambda **_: (AWSResponse("", 200, {}, None), answer)
    )
    explanation = botocore_ext.explain(session)
    step = step_of(explanation, "custom-cognito-identity-pool")
    assert [call.operation for call in step.calls] == ["cognito-identity.GetCredentialsForIdentity"]
    assert explanation.found


def test_session_without_install_names_the_remedy(config):
    config(MOBILE)
    session = boto3.Session(profile_name="mobile")
    botocore_ext.install()
    explanation = botocore_ext.explain(session)
    assert "custom-http" not in [step.provider for step in explanation.steps]
    assert "call botocore_ext.install() before you create the session" in explanation.notes[0]


@pytest.mark.parametrize("used", [False, True])
def test_role_with_our_source_names_the_remedy(config, used):
    config(
        f"{APP}credential_source = CustomHttp\n"
        "container_credentials_full_uri = https://example.com\n"
    )
    session = botocore.session.Session(profile="app")
    if used:
        session.get_component("credential_provider")
    assert "install()" in str(botocore_ext.explain(session))


# Providers that code puts into the chain.


class Own(CredentialProvider):
    METHOD = "own"

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def load(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_own(provider, *, before, profile=None):
    session = botocore.session.Session(profile=profile)
    session.get_component("credential_provider").insert_before(before, provider)
    return session


def test_third_party_provider_is_tried_in_order():
    own = Own(Credentials("AKIAOWN", "secret", account_id="123456789012"))
    explanation = botocore_ext.explain(with_own(own, before="env"))
    assert (
        str(explanation.found) == f"access key {'*' * 16}AOWN, account 123456789012, no expiration"
    )


def test_third_party_provider_may_return_none():
    explanation = botocore_ext.explain(with_own(Own(None), before="env"))
    assert step_of(explanation, "own").reason == "it returned no credentials"


def test_third_party_error_shows_its_type_only(logs):
    error = KeyError(fakes.secret())
    explanation = botocore_ext.explain(with_own(Own(error, error), before="env"))
    assert step_of(explanation, "own").reason == "KeyError"
    assert not searching.shown([str(explanation), *logs])


def test_third_party_provider_is_skipped_untried(config):
    config(STATIC)
    explanation = botocore_ext.explain(with_own(Own(), before="iam-role", profile="dev"))
    assert step_of(explanation, "own").reason == (
        "an earlier provider was used; whether this one has credentials is not known"
    )


def test_asynchronous_third_party_provider_is_not_tried():
    class Asynchronous(Own):
        async def load(self): ...

    step = botocore_ext.explain(with_own(Asynchronous(), before="env")).steps[0]
    assert (step.outcome.value, step.reason) == (
        "not tried",
        "only an event loop can await it",
    )


def test_our_providers_in_a_changed_resolver_are_tried(config, aws):
    config(MOBILE)
    pool = botocore_ext.from_cognito_identity_pool(identity_pool_id=POOL.split()[2])
    session = botocore.session.Session(profile="mobile")
    botocore_ext.extend(session, lambda: None, pool)
    session.get_component("credential_provider").insert_before("login", Own())
    explanation = botocore_ext.explain(session)
    assert outcomes(explanation) == {
        "custom-cognito-identity-pool": "skipped",  # selected by the profile
        "own": "skipped",
    }
    assert explanation.steps[1].outcome.value == "found"
    assert explanation.steps[1].settings[0].origin == "code"
    assert len(explanation.steps[1].calls) == 2  # by clients of its own
    assert explanation.found
    assert loaded_credentials(session) is None


def test_resolver_of_another_type_has_no_chain(home, monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    session = botocore.session.Session()
    session.register_component("credential_provider", object())
    explanation = botocore_ext.explain(session)
    assert (explanation.steps, explanation.notes) == ((), ())


def test_resolver_of_an_initializer_is_explained(home):
    resolver = CredentialResolver([EnvProvider()])

    def initialize(session):
        session.register_component("credential_provider", resolver)

    botocore.register_initializer(initialize)
    try:
        botocore_ext.install()
        explanation = botocore_ext.explain(botocore.session.Session())
    finally:
        botocore.unregister_initializer(initialize)
    assert [step.provider for step in explanation.steps][-1:] == ["env"]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: None, ("not configured", "<lambda> returned None: it has no credentials here")),
        (lambda: 1 / 0, ("failed", "ZeroDivisionError")),
        (lambda: "", ("failed", NOT_KEYS)),
        (lambda: {"AccessKeyId": "AKIA", "SecretAccessKey": "secret"}, ("found", "")),
    ],
)
def test_function_is_tried_in_order(function, expected):
    botocore_ext.install(function)
    step = botocore_ext.explain().steps[0]
    reason = step.reason.replace("test_function_is_tried_in_order.<locals>.", "")
    assert (step.provider, step.outcome.value, reason) == ("custom-function", *expected)


def test_single_provider_is_the_whole_chain(aws):
    http = botocore_ext.from_http(aws_container_credentials_full_uri=aws.url)
    session = botocore_ext.Session(credentials=http)
    explanation = botocore_ext.explain(session)
    (step,) = explanation.steps
    assert [call.where() for call in step.calls] == [f"GET at 127.0.0.1:{aws.port}"]
    assert str(step.settings[0]) == f"aws_container_credentials_full_uri = {aws.url}/...  (code)"
    assert explanation.found.account_id == "123456789012"


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("kind", ["function", "ours", "of others"])
def test_single_provider_without_credentials_fails(kind, used):
    alone = {
        "function": lambda: None,
        "ours": botocore_ext.from_http(),
        "of others": Own(*[None] * 3),
    }
    session = botocore_ext.Session(credentials=alone[kind])
    if used:
        session._session.get_component("credential_provider")
    explanation = botocore_ext.explain(session)
    with pytest.raises(botocore_ext.errors.NotConfigured) as raised:
        session.get_credentials()
    (step,) = explanation.steps
    assert (step.outcome.value, step.reason) == ("failed", raised.value.reason)
    assert UNABLE not in str(explanation)
    assert explanation.notes == (raised.value.reason,)


def test_option_from_the_environment_has_that_origin(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    session = botocore_ext.Session(credentials=botocore_ext.from_http())
    setting = botocore_ext.explain(session).steps[0].settings[0]
    assert str(setting) == f"AWS_CONTAINER_CREDENTIALS_FULL_URI = {aws.url}/...  (environment)"


def test_unselected_provider_of_code_gives_the_reason():
    botocore_ext.install(botocore_ext.from_http())
    reason = botocore_ext.explain().steps[0].reason
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in reason


def test_objects_passed_in_code_are_not_shown(aws):
    from_env, secret = botocore_ext.from_env(), fakes.secret()
    chain = botocore_ext.create_credential_chain(from_env, lambda: secret)
    step = botocore_ext.explain(botocore_ext.Session(credentials=chain)).steps[0]
    assert [str(one) for one in step.settings] == [
        "links = <EnvironmentProvider>, <FunctionProvider>  (code)"
    ]
    assert step.outcome.value == "failed"
    assert [(one.outcome.value, one.reason) for one in step.links] == [
        ("not configured", "AWS_ACCESS_KEY_ID is not set"),
        ("failed", ""),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("not-an-arn-do-not-show", "(malformed)"),
        ("arn:aws:iam::1:role/\x1b[2J", "arn:aws:iam::1:role/\\x1b[2J"),
        ("Web", "Web"),
    ],
)
def test_malformed_value_is_hidden_if_it_may_be_a_secret(value, shown, config):
    """No access key, secret or token is as short as a name, or begins like an ARN."""
    config(f"[profile web]\nweb_identity_token = env://TOKEN\nrole_arn = {value}\n")
    botocore_ext.install()
    text = str(botocore_ext.explain(boto3.Session(profile_name="web")))
    assert value == shown or value not in text
    assert f"role_arn = {shown}  " in text


@pytest.mark.parametrize("text", ["", STATIC.replace("profile dev", "default")])
def test_empty_profile_name_is_a_missing_profile(text, config):
    config(text)
    explanation = botocore_ext.explain(botocore.session.Session(profile=""))
    assert 'boto3 says "The config profile () could not be found"' in explanation.conclusion
    assert explanation.notes == (
        "the name of the profile is empty: leave it out, or name a profile",
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "is a directory"),
        ("null", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("none", "does not exist"),
    ],
)
def test_path_that_is_not_a_file_is_named(path, expected, tmp_path, monkeypatch):
    """A pipe is not read, because it may never be written to."""
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    named = str(tmp_path / path)
    monkeypatch.setenv("AWS_CONFIG_FILE", named)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", named)
    explanation = botocore_ext.explain()
    assert [str(file) for file in explanation.files] == [f"{named} ({expected})"] * 2
    assert {file.exists for file in explanation.files} == {path != "none"}
    for provider in ("config-file", "shared-credentials-file"):
        assert step_of(explanation, provider).reason == f"{named} {expected}"
    assert [note for note in explanation.notes if named in note] == [
        f"{name} names {named}, which {expected}: correct it, or unset it"
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    ]


def test_secrets_of_botocore_are_hidden_and_nothing_else():
    names = {name for rule in RULES.values() for name in (*rule.keys, *rule.variables)}
    assert {name for name in names if values.redact(name, "value") == "(set)"} == {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",  # only its host is shown
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "aws_secret_access_key",
        "aws_session_token",
        "credential_process",
        "external_id",
    }
    assert values.redact("aws_access_key_id", "AKIAVALUE") == "****************ALUE"
    assert values.redact("of_another_program", "value") == "(set)"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://me:p@ss@host:1/path@x?y=z@", "host:1"),
        ("http://host?token=hush", "host"),
        ("http://me:hush@host#x", "host"),
    ],
)
def test_url_shows_its_host_only(url, host):
    assert values.host_of(url) == host
    assert errors.without_users(f"it is {url}").startswith(f"it is http://{host}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a" * 120, "a" * 120), ("a" * 121, "a" * 16 + "..."), ("a\x1b[2J", "a\\x1b[2J")],
)
def test_long_and_unprintable_values_are_shortened(value, shown):
    assert values.printable(value) == shown


def test_unreadable_file_counts_as_empty(config, mocker):
    """As in botocore. Root may read any file, so the test does not rely on its mode."""
    config(STATIC.replace("profile dev", "default"))
    opened, named = open, os.environ["AWS_CONFIG_FILE"]

    def refuse(path, *given, **options):
        if str(path) == named:
            raise PermissionError
        return opened(path, *given, **options)

    mocker.patch("builtins.open", refuse)
    mocker.patch("io.open", refuse)  # what pathlib calls
    explanation = botocore_ext.explain()
    reason = f"profile 'default' of {named} has no aws_access_key_id"
    assert step_of(explanation, "config-file").reason == reason
    assert explanation.found is None


def test_inconsistent_sso_session_is_named(config):
    """The section exists and contradicts the profile."""
    text = (
        f"[profile dev]\nsso_session = corp\n{SSO}[sso-session corp]\nsso_start_url = https://x\n"
    )
    config(f"{text}sso_region = eu-west-1\n")
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"))
    assert step_of(explanation, "sso").reason == (
        "sso_region is not the same as in [sso-session corp]: remove one of them"
    )
    config(f"{text}sso_region = us-east-1\n")  # the same in both is correct
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"), offline=True)
    assert outcomes(explanation) == {"sso": "not tried"}


# Sessions that have credentials already.


def test_explicit_credentials_are_found(config, commands, world):
    secret = fakes.secret()
    config(f"[default]\n{RUNS.format(world / 'ran')}")
    session = boto3.Session(
        aws_access_key_id="AKIAGIVEN", aws_secret_access_key=secret, aws_session_token=secret
    )
    loaded = session.get_credentials()
    explanation = botocore_ext.explain(session)
    (note,) = explanation.notes
    assert note.startswith("this session was given credentials in code, so no provider is tried: ")
    first = explanation.steps[0]
    assert (explanation.found.provider, first.provider) == (loaded.method, loaded.method)
    assert explanation.found.access_key == "*" * 16 + "IVEN"
    assert [str(one) for one in first.settings] == [
        f"aws_access_key_id = {'*' * 16}IVEN  (code)",
        "aws_secret_access_key = (set)  (code)",
        "aws_session_token = (set)  (code)",
    ]
    assert outcomes(explanation) == {"explicit": "found", "custom-process": "skipped"}
    assert (session.get_credentials(), commands) == (loaded, [])
    assert not searching.shown([str(explanation)])


def test_explicit_access_key_without_secret_fails():
    session = botocore.session.Session()
    session.set_credentials("AKIAGIVEN", "")
    explanation = botocore_ext.explain(session)
    assert outcomes(explanation) == {"explicit": "failed"}
    assert explanation.notes[0] == (
        "SecretAccessKey is missing: pass both the access key and the secret access key, or neither"
    )


def test_loaded_credentials_are_noted_first(config):
    config(STATIC)
    session = boto3.Session(profile_name="dev")
    loaded = session.get_credentials()
    explanation = botocore_ext.explain(session)
    assert "already has credentials (config-file)" in explanation.notes[0]
    assert outcomes(explanation) == {"config-file": "found"}
    assert session.get_credentials() is loaded


@pytest.mark.parametrize("wrong", [1, boto3])
def test_explain_takes_sessions_only(wrong):
    with pytest.raises(TypeError, match=r"^explain\(\) takes a boto3 or botocore session, not "):
        botocore_ext.explain(wrong)


# botocore's own providers.


def test_metadata_service_is_tried_last(aws, monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    explanation = botocore_ext.explain()
    assert explanation.found.provider == "iam-role"
    assert [call.host for call in explanation.steps[-1].calls] == [f"127.0.0.1:{aws.port}"]


def test_silent_metadata_service_is_noted(aws, monkeypatch):
    aws.always("GetMetadataToken", fakes.Answer(status=404))
    aws.always("GetInstanceRole", fakes.Answer(status=404))
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    explanation = botocore_ext.explain()
    assert "returned no credentials: this is not an EC2 instance" in explanation.notes[0]
    assert explanation.steps[-1].calls


def test_container_endpoint_is_found(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    explanation = botocore_ext.explain()
    assert explanation.found.provider == "container-role"


@pytest.mark.parametrize("body", ["[]", "oops", '{"AccessKeyId": "AKIA"}'])
def test_answer_of_an_endpoint_is_not_shown(body, aws, monkeypatch):
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    aws.always("GET", fakes.Answer(body.encode()))
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    explanation = botocore_ext.explain()
    assert outcomes(explanation) == {"container-role": "failed"}
    assert body not in str(explanation)


def test_relative_uri_means_the_host_of_the_agent(monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2")
    call = RULES["container-role"].call
    assert call(View(botocore.session.Session())) == ("GET", "169.254.170.2")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (None, "profile 'dev' is not logged in: log in with `aws login --profile dev`"),
        ({"dpopKey": None}, "missing required fields: dpopKey.): log in with `aws login "),
    ],
)
def test_login_that_cannot_be_used_is_named(changed, reason, config, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path))
    if changed is not None:
        fakes.login_token(tmp_path, "me", time.time() + 900, **changed)
    config("[profile dev]\nlogin_session = me\n")
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"))
    assert reason in step_of(explanation, "login").reason


def test_process_shows_its_time(config, aws, world):
    config(f"[profile dev]\ncredential_process = {fakes.keys_command(world, aws.url)}\n")
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"))
    step = step_of(explanation, "custom-process")
    assert [call.where() for call in step.calls] == ["credential_process at localhost"]
    assert explanation.found.account_id == "123456789012"


@pytest.mark.users_own("command")
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "import sys; sys.exit('{}')",
            "credential_process failed, or did not print version 1",
        ),
        ("print('{}')", "returned something that cannot be read"),
    ],
)
def test_output_of_a_process_is_not_shown(program, expected, config):
    program = program.format(fakes.secret("printed"))
    config(f'[profile dev]\ncredential_process = {sys.executable} -c "{program}"\n')
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"))
    assert expected in step_of(explanation, "custom-process").reason
    assert not searching.shown([str(explanation)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[profile app]\n", "credential_process of profile 'app' is empty: write the command"),
        (f"{APP}source_profile = q\n[profile q]\n", "credential_process of profile 'q' is empty"),
    ],
)
def test_empty_credential_process_is_named(text, expected, config):
    config(f"{text}credential_process =\n")
    explanation = botocore_ext.explain(botocore.session.Session(profile="app"))
    (step,) = [one for one in explanation.steps if one.outcome.value == "failed"]
    assert expected in step.reason
    assert not step.calls


def test_empty_static_credentials_are_named(config):
    config("[profile dev]\naws_access_key_id =\naws_secret_access_key =\n")
    explanation = botocore_ext.explain(botocore.session.Session(profile="dev"))
    assert outcomes(explanation) == {"config-file": "failed"}
    access_key, secret_key = explanation.notes[1:]
    assert access_key.endswith("config:2) is empty: set it, or remove it")
    assert secret_key.startswith("aws_secret_access_key (")


@pytest.mark.caller_signs
def test_malformed_max_attempts_is_named(config):
    config(f"{APP}source_profile = dev\nmax_attempts = many\n{STATIC}")
    explanation = botocore_ext.explain(botocore.session.Session(profile="app"))
    assert outcomes(explanation)["assume-role"] == "failed"
    assert explanation.notes[1].startswith(
        "max_attempts is not a whole number: correct AWS_MAX_ATTEMPTS, or "
    )


def test_environment_shows_all_its_variables(monkeypatch):
    values = {
        "AWS_ACCESS_KEY_ID": "AKIAOFENV",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SECURITY_TOKEN": "token",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z",
        "AWS_ACCOUNT_ID": "123456789012",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    step = botocore_ext.explain().steps[0]
    assert {one.name for one in step.settings} == values.keys()
    assert {one.origin for one in step.settings} == {"environment"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[other]\n", "{} has no section [dev]"),
        ("[dev]\nregion = eu-west-1\n", "section [dev] of {} has no aws_access_key_id"),
    ],
)
def test_credentials_file_without_credentials_is_named(text, reason, config, world):
    config("[profile dev]\n", text)
    explanation = botocore_ext.explain(boto3.Session(profile_name="dev"))
    step = step_of(explanation, "shared-credentials-file")
    assert step.reason == reason.format(world / "credentials")


def test_expired_process_credentials_are_named(config, monkeypatch):
    expired = json.dumps(
        {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t",
         "Expiration": "2020-01-01T00:00:00Z"}
    )  # fmt: skip
    config(f"[default]\ncredential_process = echo '{expired}'\n")
    assert "returned credentials that have expired" in str(botocore_ext.explain())


def test_expired_environment_credentials_are_named(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
    assert (
        "the environment returned credentials that have expired"
        in botocore_ext.explain().steps[0].reason
    )


@pytest.mark.parametrize("names_it", ["AWS_CREDENTIAL_FILE", "BOTO_CONFIG"])
def test_credentials_of_boto_2_are_found(names_it, world, monkeypatch):
    file = world / "old"
    file.write_text("[Credentials]\naws_access_key_id = AKIAOLD\naws_secret_access_key = s\n")
    if names_it == "AWS_CREDENTIAL_FILE":
        file.write_text("AWSAccessKeyId=AKIAOLD\nAWSSecretKey=s\n")
    monkeypatch.setenv(names_it, str(file))
    assert botocore_ext.explain().found.access_key.endswith("AOLD")
    file.write_text("")
    explanation = botocore_ext.explain()
    assert explanation.found is None
    assert {
        "AWS_CREDENTIAL_FILE": "the file that AWS_CREDENTIAL_FILE names has no AWSAccessKeyId",
        "BOTO_CONFIG": f"no credentials in {file}",
    }[names_it] in [step.reason for step in explanation.steps]


@pytest.mark.caller_signs
def test_unreachable_service_is_named(config, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed_again:
        url = f"http://127.0.0.1:{closed_again.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    config(f"{APP}source_profile = dev\n{STATIC}")
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"))
    step = step_of(explanation, "assume-role")
    assert step.reason == f'Could not connect to the endpoint URL: "{url}/"'
    assert [call.operation for call in step.calls] == ["sts.AssumeRole"]


@pytest.mark.parametrize("behind", ["/?{}", "?{}", "#{}"])
def test_container_url_shows_its_host_only(behind, aws, monkeypatch):
    aws.always("GET", fakes.Answer(status=500))
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    url = f"http://{fakes.secret()}@127.0.0.1:{aws.port}{behind.format(fakes.secret())}"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    explanation = botocore_ext.explain()
    assert step_of(explanation, "container-role").calls[0].host == f"127.0.0.1:{aws.port}"
    assert not searching.shown([str(explanation)])


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        (
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
            "1.5",
            "is not a whole number, so boto3 cannot look for",
        ),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "none", "none is not an address"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5", "ipv5 is neither ipv4 nor ipv6"),
    ],
)
def test_setting_that_breaks_the_chain_is_named(name, value, fact, monkeypatch):
    monkeypatch.setenv(name, value)
    botocore_ext.install()
    explanation = botocore_ext.explain()
    assert fact in explanation.conclusion
    assert explanation.notes[0].startswith("correct ")


@pytest.mark.users_own("error", "log")
def test_password_in_a_url_is_not_shown(config, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed_again:
        url = f"http://user:{fakes.secret()}@127.0.0.1:{closed_again.getsockname()[1]}"
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    config(f"{MOBILE}endpoint_url = {url}\n")
    botocore_ext.install()
    of_service, of_instance = (
        botocore_ext.explain(botocore.session.Session(profile=name)) for name in ("mobile", None)
    )
    assert step_of(of_service, "custom-cognito-identity-pool").reason.startswith("Could not")
    assert step_of(of_instance, "iam-role").calls
    assert not searching.shown([str(of_service), str(of_instance)])


def test_error_of_our_source_is_shown(config):
    config(f"{APP}source_profile = web\n[profile web]\nweb_identity_token = file:///none\n"
           "role_arn = arn:aws:iam::123456789012:role/Web\n")  # fmt: skip
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"))
    assert "the token file /none cannot be read" in step_of(explanation, "assume-role").reason


@pytest.mark.users_own("error", "log")
def test_error_of_a_handler_is_not_shown(config):
    def refuse(**_):
        raise RuntimeError(fakes.secret())

    config(f"{APP}source_profile = dev\n{STATIC}")
    session = botocore.session.Session(profile="app")
    session.register("before-call", refuse)
    explanation = botocore_ext.explain(session)
    assert outcomes(explanation) == {"assume-role": "failed"}
    assert not searching.shown([str(explanation)])


def test_settings_of_a_role_are_shown_below_their_profile(config):
    config(
        f"{APP}source_profile = middle\n"
        "[profile middle]\nrole_arn = arn:aws:iam::123456789012:role/Middle\n"
        f"source_profile = dev\n{STATIC}"
    )
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"), offline=True)
    lines = [line.partition(" = ")[0] for line in explanation.text().splitlines()[3:-3]]
    assert lines == [
        "    role_arn",
        "    source_profile",
        "    profile middle",
        "      role_arn",
        "      source_profile",
        "    profile dev",
        "      aws_access_key_id",
        "      aws_secret_access_key",
    ]
    (step,) = [one for one in explanation.to_dict()["steps"] if one["settings"]]
    assert [one["profile"] for one in step["settings"]] == [
        *("app", "app"),
        *("middle", "middle"),
        *("dev", "dev"),
    ]


def test_repeated_calls_share_a_line(aws, config):
    aws.always("GET", fakes.Answer(status=500))
    config(f"[profile dev]\ncontainer_credentials_full_uri = {aws.url}\n"
           "container_credentials_max_retries = 2\n")  # fmt: skip
    botocore_ext.install()
    text = str(botocore_ext.explain(boto3.Session(profile_name="dev")))
    assert re.search(rf"    GET at 127.0.0.1:{aws.port}: \d+ ms, \d+ ms, \d+ ms\n", text)


def test_settings_of_our_source_are_shown(config, aws):
    secret = fakes.secret()
    config(
        f"{APP}source_profile = q\n[profile q]\nregion = eu-west-1\n"
        f"credential_chain = CustomHttp, CustomCognitoIdentityPool\n{POOL}\n"
        f"container_credentials_full_uri = {aws.url}/{secret}\n"
        "cognito_custom_role_arn = not-an-arn\nbotocore_ext_refresh_window = 120\n"
    )
    botocore_ext.install()
    explanation = botocore_ext.explain(botocore.session.Session(profile="app"))
    settings = [str(one).split("  ")[0] for one in step_of(explanation, "assume-role").settings]
    assert settings == [
        "role_arn = arn:aws:iam::123456789012:role/App",
        "source_profile = q",
        "credential_chain = CustomHttp, CustomCognitoIdentityPool",
        "botocore_ext_refresh_window = 120",
        POOL,
        "cognito_custom_role_arn = not-an-arn",
        f"container_credentials_full_uri = {aws.url}/...",
    ]


def test_links_of_a_chain_have_their_settings(config, aws, monkeypatch):
    """Those that were tried, and those after the one that was used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    config(
        f"[profile app]\ncredential_chain = CustomHttp, Environment, profile dev\n"
        f"cognito_account_id = 1\n{STATIC}"
    )
    botocore_ext.install()
    for offline, expected in ((False, ["not configured", "found", "not tried"]),
                              (True, ["not tried"] * 3)):  # fmt: skip
        explanation = botocore_ext.explain(boto3.Session(profile_name="app"), offline=offline)
        links = step_of(explanation, "custom-credential-chain").links
        assert [link.outcome.value for link in links] == expected
        assert [[one.name for one in link.settings] for link in links] == [
            [],
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
            ["aws_access_key_id", "aws_secret_access_key"],
        ]
        assert "      aws_access_key_id = ****************ATIC  (" in explanation.text()


def test_setting_of_a_link_is_not_called_missing(config):
    config(f"[profile app]\ncredential_chain = CustomCognitoIdentityPool\n{POOL}\n")
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"), offline=True)
    assert step_of(explanation, "custom-cognito-identity-pool").reason == (
        "profile 'app' uses cognito_identity_pool_id for a link of its chain"
    )


def test_chain_with_a_wrong_link_has_no_links(config):
    config("[profile app]\ncredential_chain = Nobody\n")
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="app"))
    step = step_of(explanation, "custom-credential-chain")
    assert (step.outcome.value, step.links) == ("failed", ())


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"policy_arns": ["arn:aws:iam::aws:policy/A", {"arn": "arn:aws:iam::aws:policy/B"}]},
         "policy_arns = arn:aws:iam::aws:policy/A, <dict>  (code)"),
        ({"duration_seconds": 900}, "duration_seconds = 900  (code)"),
        ({"refresh_window": timedelta(minutes=5)}, "refresh_window = 0:05:00  (code)"),
        ({"web_identity_token": "env://NAME"}, "web_identity_token = (set)  (code)"),
    ],
)  # fmt: skip
def test_values_of_code_are_shown(given, shown):
    provider = botocore_ext.from_web_token(**given)
    explanation = botocore_ext.explain(botocore_ext.Session(credentials=provider), offline=True)
    assert shown in map(str, explanation.steps[0].settings)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("accounts.google.com = env://TOKEN", "accounts.google.com = env://TOKEN"),
        ("accounts.google.com = {}", "(set)"),
        ("{} = {}", "(set)"),
        ("accounts.google.com = process://get {}", "accounts.google.com = process://..."),
    ],
)
def test_logins_show_references_only(line, shown, config):
    line = line.format(*[fakes.secret()] * 2)
    config(f"{MOBILE}cognito_logins =\n    {line}\n")
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="mobile"), offline=True)
    assert f"cognito_logins = {shown}  (" in str(explanation)
    assert not searching.shown([str(explanation)])


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a.example=env://A, b.example = process://get x", "a.example = env://A, b.example = process://..."),
        ("a.example={}", "(set)"),
    ],
)  # fmt: skip
def test_logins_on_one_line_show_references_only(line, shown, config):
    config(f"{MOBILE}cognito_logins = {line.format(fakes.secret())}\n")
    botocore_ext.install()
    explanation = botocore_ext.explain(boto3.Session(profile_name="mobile"), offline=True)
    assert f"cognito_logins = {shown}  (" in str(explanation)
    assert not searching.shown([str(explanation)])


def test_uri_without_a_scheme_is_not_shown(monkeypatch):
    secret = fakes.secret()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", secret)
    explanation = botocore_ext.explain(offline=True)
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI = (set)  (" in str(explanation)
    assert not searching.shown([str(explanation)])


def test_failure_is_printed_once(config):
    """In a process, where a warning of it would go to standard error."""
    config(f"{APP}source_profile = q\n[profile q]\ncredential_chain = Environment\n")
    command = [sys.executable, "-m", "botocore_ext", "explain", "--profile", "app"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("no link of the chain") == 1


# The text, the data, the terminal.


def test_json_prints_data(config, capsys):
    config(STATIC)
    assert main(["explain", "--profile", "dev", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["verdict"], data["profile_from"]) == (1, "found", "caller")
    assert [(file["exists"], file["problem"]) for file in data["files"]] == [
        (True, None),
        (False, "does not exist"),
    ]
    assert data["found"] == {
        "provider": "config-file",
        "access_key": "****************ATIC",
        "account_id": None,
        "expiration": None,
        "seen": data["found"]["seen"],
    }
    outcomes = {step["provider"]: step["outcome"] for step in data["steps"]}
    assert (outcomes["config-file"], outcomes["sso"]) == ("found", "not_configured")


def test_times_of_the_data_are_in_utc(config, aws):
    config(MOBILE)
    botocore_ext.install()
    data = botocore_ext.explain(boto3.Session(profile_name="mobile")).to_dict()
    assert re.fullmatch(r"[\d-]+T[\d:]+Z", data["found"]["expiration"])
    assert json.loads(json.dumps(data)) == data


def test_offline_success_means_configured(config, capsys, monkeypatch):
    """Without --offline a provider that was not tried is a failure."""
    config(f"{MOBILE}{APP}mfa_serial = m\nsource_profile = dev\n{STATIC}")
    assert main(["explain", "--profile", "mobile", "--offline", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["found"]) == ("configured", None)
    assert main(["explain", "--profile", "app", "--offline"]) == 0
    assert main(["explain", "--profile", "app"]) == 1


def test_offline_does_not_count_the_metadata_service(config, capsys, monkeypatch):
    """Every machine could be an EC2 instance; only a call tells. The advice stays."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    config("[profile dev]\nrole_arm = arn:aws:iam::123456789012:role/R\n")
    assert main(["explain", "--profile", "dev", "--offline"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(
        "No provider is known to be configured: only iam-role may have credentials (not tried: "
        "offline). - "
    )
    assert "did you mean role_arn?" in printed


def test_html_shows_what_the_text_shows(config):
    """Providers that are not configured are counted."""
    config("[profile <b>]\naws_access_key_id = AKIA\ncredential_process =\n")
    html = botocore_ext.explain(boto3.Session(profile_name="<b>"))._repr_html_()
    assert "<ul><li>credential_process of profile &#x27;&lt;b&gt;&#x27;" in html
    rows = html.partition("<table>")[2].split("<tr>")[2:]
    assert [row.split("</td>")[:2] for row in rows] == [
        ["<td>failed", "<td>custom-process"],
        ["<td>skipped", "<td>config-file (an earlier provider failed)"],
    ]
    assert "<td>credential_process = (set)  (" in rows[0]
    assert "<p>Not configured: " in html
    assert "<br>Profile: &#x27;&lt;b&gt;&#x27; (named by the caller)<br>Files: " in html


def test_explain_creates_a_session_by_default(config, monkeypatch):
    config(MOBILE)
    monkeypatch.setenv("AWS_PROFILE", "mobile")
    botocore_ext.install()
    assert outcomes(botocore_ext.explain(offline=True)) == {
        "custom-cognito-identity-pool": "not tried"
    }


def on_a_terminal(*arguments):
    """Return what the command prints on a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, redirect_stdout(terminal):
        assert main(["explain", *arguments]) == 0
        terminal.flush()
        printed = os.read(ours, 65536).decode()
    os.close(ours)
    return printed


def test_terminal_shows_colors(config):
    config(STATIC)
    printed = on_a_terminal("--profile", "dev")
    assert "\x1b[32mfound\x1b[0m      config-file" in printed
    assert printed.startswith("\x1b[32mFound by config-file: ")


def test_no_color_turns_colors_off(config, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    config(STATIC)
    assert "\x1b" not in on_a_terminal("--profile", "dev")


def test_command_wraps_lines_at_the_width_of_the_terminal(config, capsys, monkeypatch):
    config(MOBILE)
    monkeypatch.setenv("COLUMNS", "60")
    main(["explain", "--profile", "mobile", "--offline"])
    printed = capsys.readouterr().out.splitlines()
    assert "        (" in {line[:9] for line in printed}
    assert max(len(line) for line in printed if " = " not in line and "/" not in line) <= 60


# The lines of files.


@pytest.mark.parametrize(
    ("header", "is_profile"),
    [
        ("[profile dev]", True),
        ("[profile 'dev']", True),
        ('[profile "dev"] ; comment', True),
        ("[profile ' dev]", False),
        ("[profile dev too]", False),
    ],
)
def test_line_is_found_where_botocore_reads_it(header, is_profile, config):
    config(f"; role_arn = 1\n\n[default]\nrole_arn=2\n{header}\nRole_ARN : arn:aws:iam::1:role/R\n")
    explanation = botocore_ext.explain(botocore.session.Session(profile="dev"))
    assert ("config:6)" in str(explanation)) == is_profile


def test_setting_of_another_file_names_its_profile(config, tmp_path):
    """The file is not the one of the session."""
    other = tmp_path / "config"
    other.write_text("[profile dev]\ncredential_process = true\n")
    process = botocore_ext.from_process(profile="dev", config_filepath=str(other))
    explanation = botocore_ext.explain(botocore_ext.Session(credentials=process), offline=True)
    origins = [one.origin for one in explanation.steps[0].settings]
    assert "profile 'dev'" in origins


def test_warnings_of_other_threads_are_left_out():
    def other():
        warn = logging.getLogger("botocore_ext.profiles.selection").warning
        thread = threading.Thread(target=warn, args=("Profile 'other' is another's",))
        thread.start()
        thread.join()

    botocore_ext.install(other)
    logger = logging.getLogger("botocore_ext.profiles")
    before = [*logger.handlers]
    assert not [note for note in botocore_ext.explain().notes if "another's" in note]
    assert logger.handlers == before


def test_binary_config_file_is_named(world):
    (world / "config").write_bytes(b"\xff\xfe")
    explanation = botocore_ext.explain()
    assert explanation.steps == ()
    assert "cannot be read, so every boto3 session fails" in explanation.conclusion


def test_listener_hears_nothing_after_its_work():
    heard = []
    run_with_listener(heard.append, lambda: notify(("host", 1.0)))
    notify(("host", 2.0))
    assert heard == [("host", 1.0)]
