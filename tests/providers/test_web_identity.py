"""``from_web_token`` in code; its profile is in ``tests/cases/profiles.toml``."""

import json
import re
import threading
from datetime import timezone

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.parsers import ResponseParserFactory
from botocore.utils import parse_timestamp

from botocore_ext import (
    ChainError,
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Scope,
    Session,
    create_credential_chain,
    from_default_chain,
    from_ini,
    from_token_file,
    from_web_token,
)
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"


def parameters_of(aws, **options):
    options = {"role_arn": ROLE, "web_identity_token": fakes.secret("token")} | options
    from_web_token(**options).fetch()
    return aws.requests[-1].parameters


@pytest.mark.parametrize(
    "policy_arns",
    [
        ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"],
        [{"arn": "arn:aws:iam::aws:policy/A"}, {"arn": "arn:aws:iam::aws:policy/B"}],
        ("arn:aws:iam::aws:policy/A", {"arn": "arn:aws:iam::aws:policy/B"}),
        "arn:aws:iam::aws:policy/A,arn:aws:iam::aws:policy/B",
    ],
)
def test_policy_arns_as_strings_and_as_mappings(aws, policy_arns):
    sent = parameters_of(aws, policy_arns=policy_arns)
    assert sent["PolicyArns.member.1.arn"] == "arn:aws:iam::aws:policy/A"
    assert sent["PolicyArns.member.2.arn"] == "arn:aws:iam::aws:policy/B"


@pytest.mark.parametrize("policy", [{"Version": "2012-10-17"}, '{"Version": "2012-10-17"}'])
def test_a_policy_as_text_and_as_mapping(aws, policy):
    assert json.loads(parameters_of(aws, policy=policy)["Policy"]) == {"Version": "2012-10-17"}


def test_session_name_is_the_package_and_the_time(aws, clock):
    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    provider.bind(Scope(clock=clock)).fetch()
    assert aws.requests[-1].parameters["RoleSessionName"] == "botocore-ext-1800000000"


def fetched_until(aws, text):
    """Fetch credentials whose expiration STS gives as ``text``."""

    def answer(request):
        found = aws.sts(request)
        found.body = re.sub(b"<Expiration>[^<]*", f"<Expiration>{text}".encode(), found.body)
        return found

    aws.script("AssumeRoleWithWebIdentity", answer)
    return from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token")).fetch()


@pytest.mark.parametrize(
    "text",
    [
        "2096-12-01T10:00:00Z",
        "2096-12-01T10:00:00.5+02:00",
        "2096-12-01T10:00:00",
        "20961201T100000Z",
        "Sat, 01 Dec 2096 10:00:00 GMT",
        "4004647200",
    ],
)
def test_expiration_is_read_as_by_botocore(aws, text):
    found = fetched_until(aws, text)
    expected = parse_timestamp(text)
    utc = expected if expected.tzinfo else expected.replace(tzinfo=timezone.utc)
    assert found.expiration == utc


def test_a_number_is_not_read_as_a_time_without_a_zone(aws):
    """Python reads this one as a time in 2096; for botocore it is not a time."""
    with pytest.raises(FetchError, match="cannot be read"):
        fetched_until(aws, "2096010112345")


@pytest.mark.caller_signs
def test_parsers_of_the_caller_stay_as_they_are(aws):
    """The AWS CLI, for example, has times parsed as text."""
    session = Session(
        credentials=from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    )
    parsers = session._session.get_component("response_parser_factory")
    # A method of what cannot be copied.
    parsers.set_parser_defaults(timestamp_parser=str, blob_parser=threading.Event().is_set)
    credentials = session.get_credentials()
    credentials.get_frozen_credentials()
    assert credentials.expiration.tzinfo is timezone.utc
    answer = session.client("sts", region_name="us-east-1").assume_role(
        RoleArn=ROLE, RoleSessionName="me"
    )
    assert isinstance(answer["Credentials"]["Expiration"], str)


def test_parsers_of_another_class_stay_as_they_are(aws):
    """What its settings mean is known to that class alone."""

    class Parsers(ResponseParserFactory):
        def set_parser_defaults(self, **_):
            raise AssertionError("has another timestamp parser")

    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    session = Session(credentials=provider)
    session._session.register_component("response_parser_factory", Parsers())
    assert session.get_credentials().get_frozen_credentials().access_key == aws.requests[0].gave


def test_callable_is_called_at_every_fetch_and_stripped(aws):
    tokens = [fakes.secret("token"), fakes.secret("token")]
    given = iter(f" {token}\n" for token in tokens)
    credentials = from_web_token(role_arn=ROLE, web_identity_token=lambda: next(given)).load()
    credentials.get_frozen_credentials()
    credentials.refresh()
    assert [one.parameters["WebIdentityToken"] for one in aws.requests] == tokens


def test_what_a_callable_raises_passes_unchanged(aws):
    def broken():
        raise LookupError("no token today")

    with pytest.raises(LookupError, match="no token today"):
        from_web_token(role_arn=ROLE, web_identity_token=broken).fetch()


@pytest.mark.parametrize(("given", "found"), [(lambda: "", "an empty string"), (lambda: 1, "int")])
def test_a_callable_that_returns_no_token_is_an_error(given, found):
    with pytest.raises(FetchError, match=f"the source of web_identity_token returned {found}"):
        from_web_token(role_arn=ROLE, web_identity_token=given).fetch()


def test_a_string_in_code_is_the_token_and_never_a_reference(aws):
    assert parameters_of(aws, web_identity_token="env://HOME")["WebIdentityToken"] == "env://HOME"


def test_a_provider_may_be_built_before_its_token_is_known(aws):
    provider = from_web_token(role_arn=ROLE)
    credentials = provider.load()
    with pytest.raises(
        ConfigurationError, match="web_identity_token is not set: for example, pass "
    ):
        credentials.get_frozen_credentials()
    provider.web_identity_token = token = fakes.secret("token")
    assert credentials.access_key.startswith("ASIA")
    assert provider.web_identity_token == token


def test_the_environment_completes_a_provider_built_in_code(aws, monkeypatch):
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Env")
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "env")
    from_web_token(web_identity_token=fakes.secret("token")).fetch()
    sent = aws.requests[-1].parameters
    assert (sent["RoleArn"], sent["RoleSessionName"]) == (
        "arn:aws:iam::123456789012:role/Env",
        "env",
    )
    assert parameters_of(aws, role_session_name="code")["RoleSessionName"] == "code"


def test_a_role_assumer_is_called_instead_of_sts():
    seen = []
    provider = from_web_token(
        role_arn=ROLE,
        web_identity_token="the-token",
        duration_seconds=900,
        provider_id="graph.facebook.com",
        role_session_name="me",
        role_assumer_with_web_identity=lambda given: (
            seen.append(given)
            or {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "Expiration": "2030-01-01T00:00:00Z"}
        ),
    )
    assert provider.fetch().access_key == "AKIA"
    assert seen == [
        {
            "RoleArn": ROLE,
            "RoleSessionName": "me",
            "WebIdentityToken": "the-token",
            "ProviderId": "graph.facebook.com",
            "DurationSeconds": 900,
        }
    ]


@pytest.mark.parametrize("found", [{"Credentials": {}}, None, "keys"])
def test_role_assumer_without_credentials_is_an_error(found):
    provider = from_web_token(
        role_arn=ROLE, web_identity_token="t", role_assumer_with_web_identity=lambda _: found
    )
    with pytest.raises(
        FetchError, match=f"the answer for the role {ROLE} has no usable credentials"
    ):
        provider.fetch()


def test_credentials_have_account_and_expiration(aws, clock):
    aws.now = clock.now
    keys = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token")).fetch()
    assert isinstance(keys, FrozenCredentials)
    assert (keys.account_id, keys.expiration) == ("123456789012", clock.at(3600))


def test_botocore_checks_the_parameters_before_any_call(aws):
    with pytest.raises(ParamValidationError):
        parameters_of(aws, duration_seconds=1)
    assert not aws.requests


def test_client_config_reaches_the_inner_client(monkeypatch, aws):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    config = {"endpoint_url": aws.url, "config": Config(user_agent_extra="mine")}
    parameters_of(aws, client_config=config)
    assert "mine" in aws.requests[-1].headers["User-Agent"]


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"region": "eu-west-1"}, "did you mean 'region_name'"),
        ("eu-west-1", "must be a mapping of create_client"),
        ({"config": {"retries": 1}}, "has a value for config that is not a Config"),
        ({"region_name": 1}, "has a value for region_name that is not a str"),
    ],
)
def test_a_malformed_client_config_is_an_error(config, text):
    with pytest.raises(ConfigurationError, match=text):
        from_web_token(role_arn=ROLE, web_identity_token="t", client_config=config)


#: What STS answers with the code InvalidIdentityToken if it cannot reach the identity provider.
UNREACHED = "Couldn't retrieve verification key"


@pytest.mark.parametrize("code", ["IDPCommunicationError", "InvalidIdentityToken"])
def test_the_identity_providers_outage_is_retried(aws, code):
    aws.script("AssumeRoleWithWebIdentity", fakes.error(code))
    assert parameters_of(aws)
    assert len(aws.requests) == 2


@pytest.mark.parametrize(
    ("message", "is_served"),
    [(f"{UNREACHED} from your identity provider,  please reference", True), ("Wrong.", False)],
)
def test_credentials_outlive_an_unreachable_provider(aws, clock, message, is_served):
    """STS calls a token invalid whose verification key it could not retrieve."""
    provider = from_web_token(
        role_arn=ROLE,
        web_identity_token=fakes.secret("token"),
        client_config={"config": Config(retries={"total_max_attempts": 2})},
    )
    aws.now = clock.now
    credentials = provider.bind(Scope(clock=clock)).load()
    old = credentials.get_frozen_credentials()
    clock.advance(3590)
    aws.always("AssumeRoleWithWebIdentity", fakes.error("InvalidIdentityToken", message=message))
    if is_served:
        assert credentials.get_frozen_credentials() == old
    else:
        with pytest.raises(ClientError, match="InvalidIdentityToken"):
            credentials.get_frozen_credentials()
    assert len(aws.requests) == 3


def test_an_error_of_sts_passes_unchanged(aws):
    aws.script("AssumeRoleWithWebIdentity", fakes.error("IDPRejectedClaim", message="no"))
    with pytest.raises(ClientError, match="An error occurred \\(IDPRejectedClaim\\).*: no"):
        parameters_of(aws)


@pytest.mark.caller_signs
def test_user_agent_names_the_operation(aws):
    """Botocore's feature id for AssumeRoleWithWebIdentity is ``k``."""
    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    session = Session(credentials=provider, region_name="eu-west-1")
    client = session.client("s3", config=Config(s3={"addressing_style": "path"}))
    for _ in range(2):
        client.get_object(Bucket="b", Key="k")
        agent = aws.requests[-1].headers["User-Agent"]
        assert "k" in agent.split(" m/")[1].split(" ")[0].split(",")


def test_html_page_instead_of_an_answer_is_an_error(aws):
    """As the portal of a hotel shows one; botocore's parser raises a bare ``KeyError``."""
    aws.script("AssumeRoleWithWebIdentity", fakes.Answer(b"<html><body>Log in</body></html>"))
    provider = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    with pytest.raises(FetchError, match=f"the answer of {aws.url} cannot be read") as raised:
        provider.fetch()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.caller_signs
class TestTokenFile:
    def test_the_file_is_read_at_every_fetch_and_stripped(self, aws, world):
        file, tokens = world / "token", [fakes.secret("token"), fakes.secret("token")]
        provider = from_token_file(web_identity_token_file=str(file), role_arn=ROLE)
        for token in tokens:
            file.write_text(f" {token}\n", encoding="utf-8")
            provider.fetch()
        assert [one.parameters["WebIdentityToken"] for one in aws.requests] == tokens

    def test_the_environment_fills_what_code_leaves_open(self, aws, world, monkeypatch):
        (world / "token").write_text(fakes.secret("token"), encoding="utf-8")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(world / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
        monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "pod")
        keys = from_token_file(duration_seconds=900, policy={"Version": "2012-10-17"}).fetch()
        sent = aws.requests[0].parameters
        assert (sent["RoleArn"], sent["RoleSessionName"]) == (ROLE, "pod")
        assert (sent["DurationSeconds"], sent["Policy"]) == ("900", '{"Version": "2012-10-17"}')
        assert keys.account_id == "123456789012"

    def test_a_function_may_assume_the_role(self, world):
        (world / "token").write_text("t0ken", encoding="utf-8")
        answer = {
            "Credentials": {"AccessKeyId": "A", "SecretAccessKey": "s"},
            "AssumedRoleUser": {"Arn": "arn:aws:sts::210987654321:assumed-role/R/s"},
        }
        keys = from_token_file(
            web_identity_token_file=str(world / "token"),
            role_arn=ROLE,
            role_assumer_with_web_identity=lambda parameters: answer,
        ).fetch()
        assert (keys.access_key, keys.account_id) == ("A", "210987654321")

    def test_nothing_selects_it(self):
        assert from_token_file(role_arn=ROLE).load() is None

    @pytest.mark.parametrize(
        ("content", "fact"),
        [
            (
                None,
                "cannot be read (No such file or directory): check the path and its permissions",
            ),
            (b"", "is empty: check the program that writes it"),
            (b"\xff", "cannot be read (it is not UTF-8 text): write the token as plain text"),
        ],
    )
    @pytest.mark.parametrize("by", ["web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"])
    def test_a_file_without_a_usable_token(self, by, content, fact, world, monkeypatch):
        path = world / "token"
        if content is not None:
            path.write_bytes(content)
        given = {"web_identity_token_file": str(path)}
        if by.startswith("AWS"):
            monkeypatch.setenv(by, str(given.popitem()[1]))
        with pytest.raises(FetchError) as raised:
            from_token_file(role_arn=ROLE, **given).fetch()
        assert raised.value.reason.startswith(f"{by}: the token file {path} {fact}")

    def test_a_chain_stops_at_a_file_without_a_usable_token(self, world):
        file = from_token_file(web_identity_token_file=str(world / "none"), role_arn=ROLE)
        with pytest.raises(FetchError, match="cannot be read"):
            create_credential_chain(file, lambda: pytest.fail("goes on")).fetch()

    def test_a_chain_steps_over_it_where_nothing_names_a_file(self):
        chain = create_credential_chain(from_token_file(), lambda: FrozenCredentials("A", "s"))
        assert chain.fetch().access_key == "A"

    def test_profile_without_a_token_file_names_the_setting(self, config):
        config("[default]\nregion = eu-west-1\n")
        with pytest.raises(ChainError) as raised:
            from_default_chain().fetch()
        reasons = [one.reason for one in raised.value.attempts if one.link == "CustomTokenFile"]
        assert reasons == [
            "none of web_identity_token_file, AWS_WEB_IDENTITY_TOKEN_FILE is set",
            "web_identity_token_file is not set",
        ]

    def test_profile_role_is_not_for_the_environments_token(self, aws, config, world, monkeypatch):
        """A pod with a token of its own, and a profile whose role takes the pod's credentials."""
        (world / "token").write_text("t0ken", encoding="utf-8")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(world / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Pod")
        config(
            "[profile app]\nrole_arn = arn:aws:iam::123456789012:role/App\n"
            "credential_source = CustomCredentialChain\ncredential_chain = CustomTokenFile\n"
        )
        from_ini(profile="app").fetch()
        roles = [one.parameters["RoleArn"].rpartition("/")[2] for one in aws.requests]
        assert roles == ["Pod", "App"]
