"""Whatever a service answers: credentials, or an error that is documented."""

import json
import time
from datetime import timezone

import botocore.session
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from botocore_ext import (
    FrozenCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_http,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_sso,
    from_temporary_credentials,
    from_web_token,
)
from botocore_ext.aws.frozen_credentials import SPELLINGS
from tests import fakes

from . import ANYTHING, DOCUMENTED, TEXT, examples

ROLE = "arn:aws:iam::123456789012:role/Web"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ONE_ATTEMPT = {
    "region_name": "us-east-1",
    "config": Config(retries={"total_max_attempts": 1}, read_timeout=5),
}

#: Times as services write them, each with what it means.
MOMENTS = st.datetimes(
    min_value=fakes.datetime(1971, 1, 2), max_value=fakes.datetime(2900, 1, 1)
).map(lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc))
WRITTEN = [
    lambda moment: moment,
    lambda moment: moment.replace(tzinfo=None),
    lambda moment: moment.timestamp(),
    lambda moment: int(moment.timestamp()),
    lambda moment: moment.isoformat(),
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    lambda moment: moment.strftime("%Y-%m-%dt%H:%M:%S.000z"),
    lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S"),
    lambda moment: moment.strftime(" %Y-%m-%dT%H:%M:%S+0000 "),
]
#: What a header carries; what it does not is refused.
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@examples(5)
@given(st.data())
def test_credentials_are_read_in_every_spelling(data):
    expected, answer = {}, {}
    for name, spellings in SPELLINGS.items():
        if name not in ("access_key", "secret_key") and data.draw(st.booleans()):
            continue
        value = written = data.draw(VALUES)
        if name == "expiration":
            value = data.draw(MOMENTS)
            written = data.draw(st.sampled_from(WRITTEN))(value)
        spelling = data.draw(st.sampled_from(spellings))
        expected[name], answer[spelling] = value, written
        for other in spellings[: spellings.index(spelling)]:
            if data.draw(st.booleans()):
                answer[other] = None  # botocore gives members that are silent so
    for name in data.draw(st.lists(st.text(max_size=5), max_size=3)):
        answer.setdefault(name, data.draw(ANYTHING))
    assert FrozenCredentials.from_mapping(answer) == FrozenCredentials(**expected)


ANSWERS = st.dictionaries(
    st.sampled_from([one for spellings in SPELLINGS.values() for one in spellings]),
    st.one_of(ANYTHING, VALUES, st.just("2030-01-02T03:04:05Z")),
)


@examples(5)
@given(ANSWERS)
def test_a_malformed_answer_is_an_error_that_shows_nothing(answer):
    secret = "s3cr3t-d0-n0t-sh0w"
    answer = {"Hidden": secret, **answer, "Token": [secret], "SecretKey": secret}
    with pytest.raises(ValueError, match=r"^[A-Za-z 0-9]+$") as raised:
        FrozenCredentials.from_mapping(answer | {"SessionToken": None, "token": None})
    assert secret not in repr(raised.value)


@examples(5)
@given(st.one_of(ANYTHING, ANSWERS))
def test_function_gives_credentials_or_documented_error(value):
    chain = create_credential_chain(lambda: value)
    try:
        keys = chain.fetch()
    except DOCUMENTED:
        return
    assert keys == FrozenCredentials.of(value)


# On the wire.

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=5,
)
GOOD = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "Token": "t", "Expiration": 4e9}
MEMBERS = st.dictionaries(
    st.sampled_from([*GOOD, "SecretKey", "AccountId", "Credentials", "IdentityId", "Code",
                     "__type", "message", "SessionToken"]),
    st.one_of(JSON, st.just("2030-01-02T03:04:05Z"), VALUES),
)  # fmt: skip
STATUSES = st.sampled_from([200] * 6 + [204, 301, 302, 304, 400, 403, 404, 429, 500, 503])


@st.composite
def bodies(draw, wrap):
    """Draw what is sent back: an answer with something changed, broken off, or no answer at all."""
    answer = {**GOOD, **draw(MEMBERS)}
    for name in draw(st.lists(st.sampled_from(list(GOOD)), max_size=2)):
        answer.pop(name, None)
    body = draw(st.sampled_from([wrap(answer), json.dumps(draw(JSON)).encode()]))
    if draw(st.integers(0, 3)) == 0:
        body = body[: draw(st.integers(0, len(body)))]
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(st.binary(max_size=5)) + body[place:]
    body = draw(st.one_of(st.just(body), st.just(body), st.binary(), TEXT.map(_encoded)))
    cut = draw(st.one_of(st.none(), st.none(), st.none(), st.integers(0, len(body))))
    return fakes.Answer(body, draw(STATUSES), cut=cut)


def _encoded(text):
    return text.encode("utf-8", "surrogatepass")


def as_object(answer):
    return json.dumps(answer).encode()


def as_cognito(answer):
    return json.dumps({"IdentityId": POOL, "Credentials": answer}).encode()


def as_xml(answer, name="AssumeRoleWithWebIdentity"):
    members = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
    return (
        f"<{name}Response><{name}Result><Credentials>{members}</Credentials>"
        f"<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></AssumedRoleUser>"
        f"</{name}Result></{name}Response>"
    ).encode()


def as_role(answer):
    return as_xml(answer, "AssumeRole")


def as_portal(answer):
    named = {name[:1].lower() + name[1:]: value for name, value in answer.items()}
    named["sessionToken"] = named.pop("token", None)
    if named.get("expiration") == GOOD["Expiration"]:
        named["expiration"] = 4 * 10**12
    return json.dumps({"roleCredentials": named}).encode()


def as_oidc(answer):
    return json.dumps({"accessToken": answer.get("Token"), "expiresIn": 60, **answer}).encode()


def as_signin(answer):
    access = json.loads(as_portal(answer))["roleCredentials"]
    refresh = {"refreshToken": "r", "expiresIn": 60, "tokenType": "aws_sigv4"}
    return json.dumps({"accessToken": access, **refresh, **answer}).encode()


def as_instance(answer):
    if answer.get("Expiration") == GOOD["Expiration"]:
        answer = {**answer, "Expiration": "2099-01-02T03:04:05Z"}
    return json.dumps({"Code": "Success", **answer}).encode()


def as_text(answer):
    return str(answer.get("Token", "")).encode("utf-8", "surrogatepass")


def as_process(answer):
    answer = json.loads(as_instance(answer))
    return json.dumps({"Version": 1, "SessionToken": answer.pop("Token", None), **answer}).encode()


SCOPE = Scope(environ={})


def config(url):
    return {**ONE_ATTEMPT, "endpoint_url": url}


def http(url, _):
    return from_http(aws_container_credentials_full_uri=url, max_retries=0, timeout=5).bind(SCOPE)


def web(url, _):
    return from_web_token(
        role_arn=ROLE, web_identity_token="token", client_config=config(url)
    ).bind(SCOPE)


def role(url, _):
    return from_temporary_credentials(
        params={"RoleArn": ROLE},
        master_credentials=FrozenCredentials("AKIA", "s"),
        client_config=config(url),
    ).bind(SCOPE)


def identity(url, _):
    return from_cognito_identity(identity_id=POOL, client_config=config(url)).bind(SCOPE)


def pool(url, _):
    return from_cognito_identity_pool(identity_pool_id=POOL, client_config=config(url)).bind(SCOPE)


def sso(url, home):
    fakes.sso_token(home, "mine", time.time() - 60)  # to be renewed first
    (home / "config").write_text(
        "[sso-session mine]\nsso_start_url = https://start\nsso_region = us-east-1\n",
        encoding="utf-8",
    )
    return from_sso(
        sso_session="mine",
        sso_account_id="123456789012",
        sso_role_name="R",
        client_config=config(url),
    ).bind(Scope(botocore.session.Session(), environ={}))


def login(url, home):
    directory = home / "logins"
    fakes.login_token(directory, "me", time.time() - 60)
    scope = Scope(environ={"AWS_LOGIN_CACHE_DIRECTORY": str(directory)})
    return from_login_credentials(login_session="me", client_config=config(url)).bind(scope)


def instance(url, _):
    session = botocore.session.Session()
    session.set_config_variable("ec2_metadata_service_endpoint", url)
    return from_instance_metadata(timeout=5).bind(Scope(session, environ={}))


INSTANCE = ["GetMetadataToken", "GetInstanceRole", "GetInstanceKeys"]


@pytest.mark.parametrize(
    ("build", "wraps"),
    [
        (http, {"GET": as_object}),
        (web, {"AssumeRoleWithWebIdentity": as_xml}),
        (role, {"AssumeRole": as_role}),
        (identity, {"GetCredentialsForIdentity": as_cognito}),
        (pool, {"GetId": as_cognito, "GetCredentialsForIdentity": as_cognito}),
        (sso, {"CreateToken": as_oidc, "GetRoleCredentials": as_portal}),
        (login, {"CreateOAuth2Token": as_signin}),
        (instance, dict(zip(INSTANCE, [as_text, as_text, as_instance], strict=True))),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_service_gives_credentials_or_documented_error(build, wraps, fuzzed_aws, logs, world):
    """One of the answers is drawn; of three calls all are good in turn but one."""
    provider = build(fuzzed_aws.url, world)
    assert provider._guarded_fetch().access_key  # where all is well
    errors = []

    @examples(1.5)
    @given(data=st.data())
    def answered(data):
        logs.clear()
        fuzzed_aws.requests.clear()
        fuzzed_aws.scripts.clear()
        drawn = data.draw(st.lists(st.sampled_from([*wraps]), min_size=1, max_size=2))
        for operation in dict.fromkeys(drawn):
            fuzzed_aws.script(operation, data.draw(bodies(wraps[operation])))
        if build in (sso, login):  # what was renewed in the last example is good for a while
            build(fuzzed_aws.url, world)
        credentials = provider.load()
        credentials._start_with(None)
        try:
            keys = credentials.get_frozen_credentials()
        except DOCUMENTED as error:
            errors.append(error)
            return
        assert keys.access_key
        assert keys.secret_key

    answered()
    assert errors


def test_process_gives_credentials_or_documented_error(logs, world):
    path = world / "printed"
    provider = from_process(credential_process=f"cat {path}").bind(SCOPE)
    path.write_bytes(as_process(GOOD))
    assert provider._guarded_fetch().access_key  # where all is well
    errors = []

    @examples(0.5)
    @given(answer=bodies(as_process))
    def printed(answer):
        logs.clear()
        path.write_bytes(answer.body)
        try:
            assert provider.fetch().access_key
        except DOCUMENTED as error:
            errors.append(error)

    printed()
    assert errors
