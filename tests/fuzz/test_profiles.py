"""Whatever the AWS files contain, a session says what is wrong, and sends nothing to find out."""

import re
import socket

import boto3
import botocore.exceptions
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import botocore_ext
from botocore_ext.providers import cognito
from botocore_ext.providers.base import Provider

from ..declared import EVERY, PROVIDERS
from . import DOCUMENTED, PRINTABLE, TEXT, examples

OPTIONS = {one.ini: one for kind in PROVIDERS for one in kind.options() if one.ini}
NAMES = [str(name) for kind in EVERY for name in (kind.CANONICAL_NAME, kind.METHOD)]
#: Settings of AWS that count next to those of this package.
OTHERS = {
    "role_arn": ["arn:aws:iam::123456789012:role/A", "role/A"],
    "source_profile": ["fuzzed", "other", "none", ""],
    "credential_source": [*NAMES, "Environment", "CustomHttp@other", "environment"],
    "region": ["eu-west-1", "", "nowhere", "a_b", "eu west"],
    "mfa_serial": ["arn:aws:iam::1:mfa/a"],
    "web_identity_token_file": ["/nowhere", ""],
    "aws_access_key_id": ["AKIA", ""],
    "aws_secret_access_key": ["secret", ""],
    "sso_start_url": ["https://example.com"],
    "login_session": ["arn:aws:iam::1:user/a"],
    "cognito_identitypool_id": ["us-east-1:1"],
}
LINKS = st.lists(
    st.sampled_from([*NAMES, "profile other", "profile fuzzed", "profile none", "", "x"]),
    max_size=4,
).map(", ".join)
GOOD = {
    "cognito_logins": ["\n    accounts.google.com = token", "\n  a = file:///no", "\n  b", "c"],
    "container_credentials_full_uri": ["http://127.0.0.1:9/", "http://10.0.0.1/", "https://a.b"],
    "web_identity_token": ["token", "file:///nowhere", "env://NOBODY", "process://echo t"],
    "botocore_ext_refresh_window": ["auto", "300", "-1"],
}


def values_of(key):
    samples = [*OTHERS.get(key, []), *GOOD.get(key, [])]
    if key in OPTIONS:
        samples.append(OPTIONS[key].example)
    texts = st.one_of(st.sampled_from(samples), st.sampled_from(samples), TEXT, PRINTABLE)
    return st.one_of(LINKS, texts) if key == "credential_chain" else texts


KEYS = sorted({*OPTIONS, *OTHERS})
PROFILE = st.lists(st.sampled_from(KEYS), max_size=5, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: values_of(key) for key in keys})
)
PROFILES = st.fixed_dictionaries({"fuzzed": PROFILE}, optional={"other": PROFILE})


def text_of(profiles):
    """Write the file; a text that cannot be written, or would run something, is not an example."""
    text = "\n".join(
        f"[profile {name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for name, values in profiles.items()
    )
    assume(not re.search("process", text.replace("process://echo t", ""), re.IGNORECASE))
    assume(len(text) < 10_000)
    return text.encode("utf-8", "surrogatepass")


@pytest.fixture
def _nothing_answers(monkeypatch):
    def refuse(*_, **__):
        msg = "asks the network"
        raise AssertionError(msg)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("_nothing_answers")
@examples(0.7)
@given(profiles=PROFILES)
def test_selection_of_any_profile_sends_nothing(profiles, world, logs):
    (world / "config").write_bytes(text_of(profiles))
    logs.clear()
    outcomes = []
    for prepare in (botocore_ext.uninstall, botocore_ext.install):
        prepare()
        try:
            outcomes.append(boto3.Session(profile_name="fuzzed").get_credentials())
        except (*DOCUMENTED, UnicodeDecodeError) as error:
            outcomes.append(error)
    plain, ours = outcomes
    if isinstance(plain, (botocore.exceptions.ConfigParseError, UnicodeDecodeError)):
        assert type(ours) is type(plain)
    used = {key for one in profiles.values() for key in one}
    if not used & (OPTIONS.keys() - OTHERS.keys() | {"credential_source"}):
        assert getattr(ours, "method", None) == getattr(plain, "method", None)


@examples(0.5)
@given(data=st.data())
def test_profile_gives_credentials_or_documented_error(data, world, fuzzed_aws, monkeypatch, logs):
    monkeypatch.setenv("AWS_ENDPOINT_URL", fuzzed_aws.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    kind = data.draw(st.sampled_from(PROVIDERS[1:]))
    profile = {
        one.ini: data.draw(st.one_of(st.just(one.example), values_of(one.ini)))
        for one in kind.options()
        if one.ini and (one.required or one.selects or data.draw(st.booleans()))
    }
    for key in profile:
        if key.endswith("_uri"):
            profile[key] = f"{fuzzed_aws.url}/{data.draw(st.text(max_size=5))}"
    profile.pop("container_credentials_relative_uri", None)
    if "cognito_logins" in profile:
        profile["cognito_logins"] = data.draw(st.sampled_from(GOOD["cognito_logins"]))
    (world / "config").write_bytes(text_of({"fuzzed": profile}))
    logs.clear()
    cognito.reset()
    botocore_ext.install()
    try:
        credentials = boto3.Session(profile_name="fuzzed").get_credentials()
        if credentials is not None and isinstance(
            getattr(credentials, "_provider", None), Provider
        ):
            credentials.get_frozen_credentials()
    except (*DOCUMENTED, UnicodeDecodeError):
        return
