"""``from_ini``: profiles of every kind, roles on any of them, and which files are read."""

import sys

import pytest

from botocore_ext import (
    ChainError,
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    NotConfigured,
    Scope,
    Session,
    create_credential_chain,
    from_container_metadata,
    from_default_chain,
    from_env,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_sso,
    from_token_file,
)
from botocore_ext.catalogue import INSERTED
from tests import fakes
from tests.declared import EVERY

KEYS = FrozenCredentials("AKIALAST", "s")
pytestmark = pytest.mark.caller_signs  # roles are assumed with signed requests
ROLE = "arn:aws:iam::123456789012:role"
STATIC = "aws_access_key_id = AKIASTATIC\naws_secret_access_key = s\n"
POOL = "cognito_identity_pool_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030\n"
#: What to do about an AWS file that botocore cannot read.
SYNTAX = "correct its syntax: [section], name = value, and lists on one line"
EQUALS = "write the indented line as NAME = VALUE, with = and not :"


def role(name, source):
    return f"[profile {name}]\nrole_arn = {ROLE}/{name}\nsource_profile = {source}\n"


def signers(requests):
    signed = [one.headers["Authorization"] for one in requests if one.operation == "AssumeRole"]
    return [one.split("Credential=")[1].split("/")[0] for one in signed]


def roles(aws):
    return [one.parameters["RoleArn"] for one in aws.requests if one.operation == "AssumeRole"]


class TestKinds:
    def test_static_credentials(self, config):
        config(f"[profile p]\n{STATIC}aws_session_token = t\naws_account_id = 123456789012\n")
        keys = from_ini(profile="p").fetch()
        assert keys.parts() == ("AKIASTATIC", "s", "t", "123456789012")
        assert keys.features == ("CREDENTIALS_PROFILE",)

    def test_static_credentials_of_the_credentials_file_go_first(self, config):
        config(
            "[profile p]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n", f"[p]\n{STATIC}"
        )
        assert from_ini(profile="p").fetch().access_key == "AKIASTATIC"

    def test_access_key_and_secret_must_be_in_one_file(self, config, world):
        config("[profile p]\naws_secret_access_key = s\n", "[p]\naws_access_key_id = A\n")
        with pytest.raises(ConfigurationError) as raised:
            from_ini(profile="p").fetch()
        assert raised.value.reason == (
            f"profile 'p' of {world / 'credentials'} has an access key but no "
            "aws_secret_access_key: set both, or neither"
        )

    def test_a_process(self, config):
        script = "import json; print(json.dumps({'Version': 1, 'AccessKeyId': 'AKIAPROCESS', "
        script += "'SecretAccessKey': 's'}))"
        config(f'[profile p]\ncredential_process = {sys.executable} -c "{script}"\n')
        assert from_ini(profile="p").fetch().access_key == "AKIAPROCESS"

    def test_a_token_file(self, config, aws, world):
        (world / "token").write_text(" the-token\n", encoding="utf-8")
        config(
            f"[profile p]\nrole_arn = {ROLE}/Web\nweb_identity_token_file = {world}/token\n"
            "role_session_name = me\n"
        )
        assert from_ini(profile="p").fetch().account_id == "123456789012"
        assert aws.requests[0].parameters == {
            "RoleArn": f"{ROLE}/Web",
            "RoleSessionName": "me",
            "WebIdentityToken": "the-token",
        }

    def test_settings_of_this_package(self, config, aws):
        config(f"[profile p]\n{POOL}")
        provider = from_ini(profile="p")
        provider.fetch()
        provider.fetch()
        assert aws.operations() == ["GetId"] + ["GetCredentialsForIdentity"] * 2

    def test_a_chain(self, config, aws):
        config(f"[profile p]\ncredential_chain = Environment, profile q\n[profile q]\n{POOL}")
        from_ini(profile="p").fetch()
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    def test_a_profile_that_contradicts_itself(self, config):
        config(f"[profile p]\n{POOL}cognito_identity_id = us-east-1:id\n")
        with pytest.raises(ConfigurationError, match="has both cognito_identity_id and cognito_"):
            from_ini(profile="p").fetch()

    def test_a_profile_of_no_kind(self, config):
        path = config("[profile p]\nregion = eu-west-1\n")
        with pytest.raises(NotConfigured) as raised:
            from_ini(profile="p").fetch()
        assert raised.value.reason == (
            f"profile 'p' of {path} has no credentials: add some, for example with "
            "`aws configure --profile p`"
        )

    def test_no_such_profile(self, config):
        path = config("[default]\n")
        provider = from_ini(profile="p")
        assert provider.load() is None
        with pytest.raises(NotConfigured) as raised:
            provider.fetch()
        assert raised.value.reason == (
            f"there is no profile 'p' in {path} or {path.parent / 'credentials'} (which does not "
            "exist)"
        )
        with pytest.raises(NotConfigured, match=r"it has none here \(there is no profile 'p' in "):
            Session(credentials=provider).get_credentials()


class TestWhichProfile:
    @pytest.fixture(autouse=True)
    def _profiles(self, config):
        config("".join(f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = s\n"
                       for name, key in [("default", "DEFAULT"), ("profile a", "A"),
                                         ("profile b", "B")]))  # fmt: skip

    def test_the_default(self):
        assert from_ini().fetch().access_key == "DEFAULT"

    def test_that_of_the_environment(self, monkeypatch):
        monkeypatch.setenv("AWS_PROFILE", "a")
        assert from_ini().fetch().access_key == "A"
        assert from_ini(profile="b").fetch().access_key == "B"

    def test_that_of_the_session(self, monkeypatch):
        monkeypatch.setenv("AWS_PROFILE", "a")
        session = Session(credentials=from_ini(), profile_name="b")
        assert session.get_credentials().access_key == "B"


class TestRoles:
    @pytest.mark.parametrize("depth", [1, 2, 7])
    def test_any_depth(self, depth, config, aws):
        names = [f"r{number}" for number in range(depth)]
        pairs = zip(names, [*names[1:], "bottom"], strict=True)
        config("".join(role(*pair) for pair in pairs) + f"[profile bottom]\n{STATIC}")
        keys = from_ini(profile="r0").fetch()
        assert roles(aws) == [f"{ROLE}/{name}" for name in reversed(names)]
        assert signers(aws.requests) == ["AKIASTATIC", *(one.gave for one in aws.requests[:-1])]
        assert (keys.access_key, keys.account_id) == (aws.requests[-1].gave, "123456789012")

    def test_settings_of_the_role_reach_sts(self, config, aws):
        config(
            role("top", "low") + "external_id = theirs\nrole_session_name = me\n"
            f"duration_seconds = 900\n[profile low]\n{STATIC}"
        )
        from_ini(profile="top").fetch()
        assert aws.requests[0].parameters == {
            "RoleArn": f"{ROLE}/top",
            "ExternalId": "theirs",
            "RoleSessionName": "me",
            "DurationSeconds": "900",
        }

    @pytest.mark.parametrize(
        ("source", "operations"),
        [
            (POOL, ["GetId", "GetCredentialsForIdentity"]),
            (f"role_arn = {ROLE}/W\nweb_identity_token = t0ken\n", ["AssumeRoleWithWebIdentity"]),
            ("credential_chain = CustomHttp\ncontainer_credentials_full_uri = <url>\n", ["GET"]),
        ],
        ids=["pool", "web token", "chain"],
    )
    def test_source_profile_with_settings_of_this_package(self, source, operations, config, aws):
        config(role("top", "low") + f"[profile low]\n{source.replace('<url>', aws.url)}")
        from_ini(profile="top").fetch()
        assert aws.operations() == [*operations, "AssumeRole"]

    @pytest.mark.parametrize("named", ["Environment", "EcsContainer"])
    def test_sources_of_botocores(self, named, config, aws, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
        config(f"[profile top]\nrole_arn = {ROLE}/top\ncredential_source = {named}\n")
        from_ini(profile="top").fetch()
        signer = "AKIAENV" if named == "Environment" else aws.requests[0].gave
        assert signers(aws.requests) == [signer]

    @pytest.mark.parametrize("named", ["CustomCognitoIdentityPool", "custom-cognito-identity-pool"])
    def test_credential_source_of_this_package(self, named, config, aws):
        config(f"[profile top]\nrole_arn = {ROLE}/top\ncredential_source = {named}\n{POOL}")
        from_ini(profile="top").fetch()
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "AssumeRole"]

    def test_a_named_source_that_has_nothing(self, config):
        config(f"[profile top]\nrole_arn = {ROLE}/top\ncredential_source = Environment\n")
        chain = create_credential_chain(from_ini(profile="top"), lambda: pytest.fail("goes on"))
        with pytest.raises(FetchError) as raised:
            chain.fetch()
        assert raised.value.reason == (
            f"no credentials to assume the role {ROLE}/top: AWS_ACCESS_KEY_ID is not set"
        )

    def test_a_role_may_be_its_own_source(self, config, aws):
        config(role("top", "top") + STATIC)
        from_ini(profile="top").fetch()
        assert signers(aws.requests) == ["AKIASTATIC"]

    def test_static_credentials_of_a_source_precede_its_role(self, config, aws):
        config(role("top", "mid") + role("mid", "low") + STATIC + f"[profile low]\n{STATIC}")
        from_ini(profile="top").fetch()
        assert roles(aws) == [f"{ROLE}/top"]

    def test_a_role_goes_before_static_credentials(self, config, aws):
        config(role("top", "low") + STATIC + f"[profile low]\n{STATIC}")
        from_ini(profile="top").fetch()
        assert roles(aws) == [f"{ROLE}/top"]

    def test_many_fetches_reuse_the_source_credentials(self, config, aws):
        config(role("top", "low") + f"[profile low]\n{POOL}")
        credentials = from_ini(profile="top").load()
        for _ in range(100):
            credentials.refresh()
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"] + ["AssumeRole"] * 100

    def test_a_role_has_our_refresh(self, config, aws, clock):
        config(role("top", "low") + f"[profile low]\n{STATIC}")
        aws.now = clock.now
        credentials = from_ini(profile="top").bind(Scope(clock=clock)).load()
        first = credentials.get_frozen_credentials()
        clock.advance(3299)
        assert credentials.get_frozen_credentials() == first
        clock.advance(1)
        aws.script("AssumeRole", fakes.error("Throttling"), *[fakes.error("Throttling")] * 2)
        assert credentials.get_frozen_credentials() == first
        clock.advance(200)
        assert credentials.get_frozen_credentials() != first

    def test_client_config_applies_to_every_role(self, config):
        fake = fakes.FakeAws()
        config(role("top", "mid") + role("mid", "low") + f"[profile low]\n{POOL}")
        given = {"endpoint_url": fake.url, "region_name": "eu-west-1"}
        from_ini(profile="top", client_config=given).fetch()
        fake.close()
        assert fake.operations() == ["GetId", "GetCredentialsForIdentity"] + ["AssumeRole"] * 2

    def test_callback_returns_the_mfa_code(self, config, aws):
        serial = "arn:aws:iam::123456789012:mfa/me"
        config(
            role("top", "mid") + role("mid", "low") + f"mfa_serial = {serial}\n"
            f"[profile low]\n{STATIC}"
        )
        asked = []
        provider = from_ini(
            profile="top", mfa_code_provider=lambda device: asked.append(device) or "123456"
        )
        provider.fetch()
        assert asked == [serial]
        assert aws.requests[0].parameters["TokenCode"] == "123456"
        assert "TokenCode" not in aws.requests[1].parameters

    def test_the_wait_for_a_code_has_no_limit(self, config, aws, clock):
        config(
            role("top", "mid") + "mfa_serial = the-device\n" + role("mid", "low")
            + f"[profile low]\n{STATIC}"
        )  # fmt: skip

        def ask(_):
            clock.advance(100)
            return "123456"

        aws.now = clock.now
        provider = from_ini(profile="top", mfa_code_provider=ask).bind(Scope(clock=clock))
        assert provider.load().access_key == aws.requests[1].gave

    def test_a_retry_after_a_long_wait_for_a_code_is_made(self, config, aws, clock):
        """What an inner fetch takes is not the outer one's."""
        config(
            role("top", "mid") + role("mid", "low") + "mfa_serial = the-device\n"
            f"[profile low]\n{STATIC}"
        )

        def ask(_):
            clock.advance(40)
            aws.script("AssumeRole", fakes.Answer(status=503, body=b""))
            return "123456"

        aws.now = clock.now
        provider = from_ini(profile="top", mfa_code_provider=ask).bind(Scope(clock=clock))
        provider.load().get_frozen_credentials()
        assert roles(aws) == [f"{ROLE}/mid", f"{ROLE}/mid", f"{ROLE}/top"]

    def test_client_config_reaches_the_credential_source(self, config):
        fake = fakes.FakeAws()
        source = "credential_source = CustomCognitoIdentityPool\n"
        config(f"[profile p]\nrole_arn = {ROLE}/p\n{source}{POOL}")
        given = {"endpoint_url": fake.url, "region_name": "eu-west-1"}
        from_ini(profile="p", client_config=given).fetch()
        fake.close()
        assert fake.operations() == ["GetId", "GetCredentialsForIdentity", "AssumeRole"]

    def test_nothing_prompts_for_a_code(self, config, mocker):
        prompt = mocker.patch("getpass.getpass")
        path = config(role("top", "low") + f"mfa_serial = device\n[profile low]\n{STATIC}")
        with pytest.raises(ConfigurationError) as raised:
            from_ini(profile="top").fetch()
        assert raised.value.reason == (
            f"profile 'top' of {path} has mfa_serial = device, but there is no callback for the "
            "MFA code: pass mfa_code_provider=ask_for_code to from_ini()"
        )
        assert not prompt.called


#: What cannot be -> of which profile, and what is wrong with it.
IMPOSSIBLE = {
    "a circle": (
        role("p", "q") + role("q", "r") + role("r", "p"),
        "r",
        "depends on itself (p -> q -> r -> p): correct source_profile in one of them",
    ),
    "its own source without keys": (
        role("p", "p"),
        "p",
        "depends on itself (p -> p): correct source_profile in one of them",
    ),
    "no such source": (
        role("p", "q"),
        "p",
        "has source_profile = q, which does not exist: add it, or correct the name",
    ),
    "two sources": (
        role("p", "q") + f"credential_source = Environment\n[profile q]\n{STATIC}",
        "p",
        "has both source_profile and credential_source: keep one of them",
    ),
    "no source": (
        f"[profile p]\nrole_arn = {ROLE}/p\n{STATIC}",
        "p",
        (
            "has role_arn, but no source of the credentials that assume the role: add "
            "source_profile = NAME or credential_source = NAME"
        ),
    ),
    "an unknown source": (
        f"[profile p]\nrole_arn = {ROLE}/p\ncredential_source = environment\n",
        "p",
        (
            "has credential_source = environment, which is not a known provider: did you mean "
            "Environment?"
        ),
    ),
    "no session name": (
        role("p", "q") + f"role_session_name = x\n[profile q]\n{STATIC}",
        "p",
        (
            "(Invalid length for parameter RoleSessionName, valid min length: 2): correct "
            "role_arn, role_session_name, external_id, mfa_serial or duration_seconds there"
        ),
    ),
    "no number": (
        role("p", "q") + f"duration_seconds = long\n[profile q]\n{STATIC}",
        "p",
        (
            "has a duration_seconds that is not a whole number: for example, write "
            "duration_seconds = 3600"
        ),
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_roles_that_cannot_be(name, config):
    text, profile, problem = IMPOSSIBLE[name]
    path = config(text)
    with pytest.raises(ConfigurationError) as raised:
        from_ini(profile="p").fetch()
    assert raised.value.reason.endswith(f"profile '{profile}' of {path} {problem}")


class TestFiles:
    @pytest.mark.parametrize("where", ["config_filepath", "filepath"])
    def test_files_that_code_names(self, where, world, config):
        config(f"[profile p]\n{STATIC}")
        section = "profile p" if where == "config_filepath" else "p"
        text = f"[{section}]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n"
        (world / "other").write_text(text, encoding="utf-8")
        given = {where: str(world / "other")}
        assert from_ini(profile="p", **given).fetch().access_key == "AKIAOTHER"
        assert from_ini(profile="p").fetch().access_key == "AKIASTATIC"

    def test_home_is_expanded_and_sources_use_the_same_files(self, world, aws):
        text = role("top", "low") + f"[profile low]\n{STATIC}"
        (world / "other").write_text(text, encoding="utf-8")
        from_ini(profile="top", config_filepath="~/other").fetch()
        assert roles(aws) == [f"{ROLE}/top"]

    def test_session_profile_is_read_in_the_files_from_code(self, world, monkeypatch):
        monkeypatch.setenv("AWS_PROFILE", "q")
        (world / "other").write_text(f"[profile q]\n{STATIC}", encoding="utf-8")
        keys = from_ini(config_filepath=str(world / "other")).fetch()
        assert keys.access_key == "AKIASTATIC"

    def test_a_file_that_is_missing(self, world):
        path = world / "none"
        with pytest.raises(NotConfigured) as raised:
            from_ini(profile="p", config_filepath=str(path)).fetch()
        assert raised.value.reason.startswith(
            f"there is no profile 'p' in {path} (which does not exist) or "
        )

    @pytest.mark.parametrize(
        ("content", "line", "remedy"),
        [
            (b"[profile p\n", ":1", SYNTAX),
            (b"\xff\xfe", "", "save it as UTF-8 without a byte order mark"),
            (b"no section\n", ":1", SYNTAX),
            (b"[a]\nx = 1\n  y\n\ncognito_logins =\n  # b\n  c: env://D\n", ":7", EQUALS),
        ],
    )
    @pytest.mark.parametrize("where", ["config_filepath", "filepath"])
    def test_a_file_that_is_malformed(self, where, content, line, remedy, world):
        path = world / "broken"
        path.write_bytes(content)
        with pytest.raises(ConfigurationError) as raised:
            from_ini(profile="p", **{where: str(path)}).load()
        assert raised.value.reason == (
            f"{path}{line} cannot be read as an AWS config or credentials file: {remedy}"
        )

    def test_edits_are_seen_with_ignore_cache(self, config):
        config(f"[profile p]\n{STATIC}")
        fresh, cached = from_ini(profile="p", ignore_cache=True), from_ini(profile="p")
        assert fresh.fetch() == cached.fetch()
        config(f"[profile p]\n{STATIC.replace('AKIASTATIC', 'AKIANEW')}\n")
        assert fresh.fetch().access_key == "AKIANEW"
        config(f"[profile p]\n{POOL}")
        with pytest.raises(Exception, match="Could not connect|connect"):
            fresh.fetch()

    def test_guest_identity_stays_while_the_file_does(self, config, aws):
        config(f"[profile p]\n{POOL}")
        provider = from_ini(profile="p", ignore_cache=True)
        provider.fetch()
        provider.fetch()
        assert aws.operations() == ["GetId"] + ["GetCredentialsForIdentity"] * 2

    def test_a_profile_that_is_added_later_is_seen(self, config):
        config("[default]\n")
        provider = from_ini(profile="p", ignore_cache=True)
        assert provider.load() is None
        config(f"[profile p]\n{STATIC}")
        assert provider.load().access_key == "AKIASTATIC"

    def test_role_is_read_again(self, config, aws):
        low = f"[profile low]\n{STATIC}"
        config(role("top", "low") + low)
        provider = from_ini(profile="top", ignore_cache=True)
        provider.fetch()
        config((role("top", "low") + low).replace("role/top", "role/other"))
        provider.fetch()
        assert roles(aws) == [f"{ROLE}/top", f"{ROLE}/other"]

    @pytest.mark.parametrize("link", ["CustomProcess", "shared-credentials-file", "SharedConfig"])
    def test_links_of_a_chain_read_the_same_files(self, link, world, config):
        """A link that read the files of the session instead would be another identity."""

        def text(key):
            print_keys = f"import json; print(json.dumps({{'Version': 1, 'AccessKeyId': '{key}', "
            print_keys += "'SecretAccessKey': 's'}))"
            return (
                f"[profile first]\ncredential_chain = {link}\n"
                f"aws_access_key_id = {key}\naws_secret_access_key = s\n"
                f'credential_process = {sys.executable} -c "{print_keys}"\n'
            )

        config(text("AKIADEFAULT"), f"[first]\n{STATIC.replace('STATIC', 'DEFAULT')}")
        (world / "other").write_text(text("AKIAOTHER"), encoding="utf-8")
        (world / "keys").write_text(f"[first]\n{STATIC.replace('STATIC', 'OTHER')}")
        given = {"config_filepath": str(world / "other"), "filepath": str(world / "keys")}
        assert from_ini(profile="first", **given).fetch().access_key == "AKIAOTHER"
        assert from_ini(profile="first").fetch().access_key == "AKIADEFAULT"

    def test_a_file_that_is_just_being_edited_is_read_later(self, config, caplog):
        config(f"[profile p]\n{STATIC}")
        provider = from_ini(profile="p", ignore_cache=True)
        provider.fetch()
        config("[profile p\n")
        assert provider.fetch().access_key == "AKIASTATIC"
        assert [
            one
            for one in caplog.messages
            if one.startswith("The settings that were read before stay in use: ")
        ]

    def test_a_broken_file_that_was_never_read_is_an_error(self, config):
        config("[profile p\n")
        with pytest.raises(ConfigurationError, match="correct its syntax"):
            from_ini(profile="p", ignore_cache=True)._read_again()

    @pytest.mark.parametrize("home", ["/proc/nowhere", None])
    def test_a_missing_home_directory_is_not_an_error(self, home, monkeypatch):
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HOME"):
            monkeypatch.delenv(name)
        if home is not None:
            monkeypatch.setenv("HOME", home)
        monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
        chain = create_credential_chain(
            from_process(), from_sso(), from_login_credentials(), from_ini(), lambda: KEYS
        )
        assert chain.fetch() == KEYS


class TestDefaultChain:
    @pytest.mark.parametrize("by", ["code", "environment"])
    def test_a_missing_profile_stops_the_search(self, by, aws, monkeypatch):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
        if by == "environment":
            monkeypatch.setenv("AWS_PROFILE", "typo")
        provider = from_default_chain(profile="typo" if by == "code" else None)
        with pytest.raises(NotConfigured, match="there is no profile 'typo' in "):
            provider.fetch()
        assert not aws.requests

    def test_the_environment_goes_first(self, config, monkeypatch):
        config(f"[default]\n{STATIC}")
        assert from_default_chain().fetch().access_key == "AKIASTATIC"
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        assert from_default_chain().fetch().access_key == "AKIAENV"

    @pytest.mark.parametrize("given", [{"profile": "p"}, {}])
    def test_a_profile_that_code_names_goes_before_the_environment(
        self, given, config, monkeypatch
    ):
        config(f"[profile p]\n{STATIC}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/none")
        session = Session(
            credentials=from_default_chain(**given), profile_name=None if given else "p"
        )
        assert session.get_credentials().access_key == "AKIASTATIC"

    def test_a_token_file_of_the_environment_goes_first(self, config, aws, world, monkeypatch):
        """As in a plain session: a pod must not use credentials that lie about in its image."""
        config(f"[default]\n{STATIC}")
        (world / "token").write_text("the-token", encoding="utf-8")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(world / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", f"{ROLE}/Web")
        from_default_chain().fetch()
        assert aws.operations() == ["AssumeRoleWithWebIdentity"]

    def test_each_option_goes_to_the_links_that_declare_it(self, world):
        given = {
            "web_identity_token_file": str(world / "token"), "role_arn": f"{ROLE}/Web",
            "role_session_name": "me", "provider_id": "graph.facebook.com",
            "policy_arns": [f"{ROLE}/P"], "policy": {}, "duration_seconds": 900,
            "role_assumer_with_web_identity": print, "sso_start_url": "https://a.b/start",
            "sso_account_id": "123456789012", "sso_region": "us-east-1", "sso_role_name": "Role",
            "sso_session": "corp", "login_session": "arn:aws:iam::123456789012:user/me",
            "credential_process": "true", "timeout": 2, "max_retries": 4,
            "ec2_metadata_v1_disabled": True,
        }  # fmt: skip
        chain, passed = from_default_chain(**given), {}
        for kind in (one for one in EVERY if one is not from_default_chain):
            for name in chain._options_of_link(kind):
                passed.setdefault(name, []).append(kind.FACTORY)
        metadata = ["from_container_metadata", "from_instance_metadata"]
        expected = {name: ["from_token_file"] for name in list(given)[:8]}
        expected |= {name: ["from_sso"] for name in given if name.startswith("sso_")}
        expected |= {"login_session": ["from_login_credentials"]}
        expected |= {"credential_process": ["from_process"]}
        expected |= {"timeout": metadata, "max_retries": metadata}
        expected |= {"ec2_metadata_v1_disabled": metadata[1:]}
        assert passed == expected

    def test_every_option_of_a_link_is_an_option_of_the_chain(self):
        """A new option of a link is to be handed down, too."""
        links = [from_env, from_token_file, from_sso, from_login_credentials, from_process]
        links += [from_container_metadata, from_instance_metadata]
        own = {one.name for one in from_default_chain.options()}
        assert not {one.name for link in links for one in link.options()} - own
        for name in ("identity_pool_id", "params", "web_identity_token"):
            with pytest.raises(TypeError, match=f"has no option '{name}'"):
                from_default_chain(**{name: "a"})

    def test_an_option_is_checked_as_its_link_checks_it(self):
        with pytest.raises(
            ConfigurationError, match="timeout passed to from_default_chain.. is more"
        ):
            from_default_chain(timeout=1000)

    def test_a_token_file_of_code_is_used(self, aws, world):
        (world / "token").write_text(fakes.secret("token"))
        from_default_chain(
            web_identity_token_file=str(world / "token"), role_arn=f"{ROLE}/Web", policy={}
        ).fetch()
        assert aws.requests[0].parameters["Policy"] == "{}"

    def test_an_instance_gets_its_timeout(self, aws, monkeypatch):
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
        aws.always("GetMetadataToken", fakes.Answer(status=403))
        with pytest.raises(ChainError, match="IMDSv1 is disabled|IMDSv1"):
            from_default_chain(ec2_metadata_v1_disabled=True, max_retries=0).fetch()
        assert aws.operations() == ["GetMetadataToken"]

    def test_settings_of_this_package_are_in_it(self, config, aws):
        config(f"[default]\n{POOL}")
        from_default_chain().fetch()
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    def test_a_container(self, aws, monkeypatch):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
        assert from_default_chain().fetch().access_key == aws.requests[0].gave

    def test_no_candidate_has_credentials(self):
        provider = from_default_chain()
        assert provider.load() is not None
        with pytest.raises(Exception, match="no link of the chain returned credentials") as raised:
            provider.fetch()
        lines = str(raised.value).splitlines()[1:]
        assert [line.split(":")[0].strip() for line in lines] == [
            "Environment", *(row.canonical_name for row in INSERTED), "assume-role",
            "CustomTokenFile", "CustomTokenFile", "CustomSso", "SharedCredentials", "CustomLogin",
            "CustomProcess", "SharedConfig", "ec2-credentials-file", "boto-config",
            "EcsContainer", "Ec2InstanceMetadata",
        ]  # fmt: skip
        assert lines[-1] == "  Ec2InstanceMetadata: AWS_EC2_METADATA_DISABLED is true"

    def test_the_chain_that_uses_it_is_skipped(self, config, monkeypatch):
        config(
            f"[profile p]\ncredential_chain = CustomDefaultChain, profile q\n[profile q]\n{STATIC}"
        )
        session = Session(profile_name="p")
        assert session.get_credentials().access_key == "AKIASTATIC"
        monkeypatch.setenv("AWS_PROFILE", "p")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        chain = create_credential_chain(from_ini(profile="p"))
        assert chain.fetch().access_key == "AKIAENV"

    def test_a_configured_link_that_fails_ends_it(self, config, aws, monkeypatch):
        config(f"[default]\n{STATIC}container_credentials_full_uri = {aws.url}\n")
        aws.always("GET", fakes.Answer(status=403))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
        with pytest.raises(FetchError, match="answered with status 403"):
            from_default_chain().fetch()
