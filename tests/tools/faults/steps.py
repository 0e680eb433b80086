"""The steps at which a provider sends a request, and how it gets there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session

from botocore_ext import (
    FrozenCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_container_metadata,
    from_default_chain,
    from_http,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_roles_anywhere,
    from_sso,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
)
from botocore_ext.tokens import GitHubActionsToken, OAuthToken, TokenProcess
from tests import fakes, x509

from .place import REGION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_ext.providers.base import Provider

    from .place import Place

ROLE = "arn:aws:iam::123456789012:role/App"
IDENTITY = f"{REGION}:00000000-0000-0000-0000-000000000001"
POOL = f"{REGION}:1699ebc0-7900-4099-b910-2df94f52a030"
START_URL = "https://d-abc123.awsapps.com/start"
#: Of an instance; long, so that it takes its time where it comes a byte at a time.
ROLE_NAME = "a-role-with-a-name-of-many-characters"
#: Sources that are not services; they are tried twice here if each attempt fails.
_ENDPOINTS = {"from_http", "from_container_metadata", "from_instance_metadata"}


def nothing(_place: Place, _provider: Provider) -> None:
    """Do nothing: each fetch includes the step."""


@dataclass(frozen=True)
class Step:
    """One request of one provider."""

    operation: str
    factory: str
    #: Which expectations hold.
    family: str
    #: Makes the provider, bound.
    build: Callable[[Place], Provider]
    #: The operation before this one; None: this is the first.
    before: str | None = None
    #: Makes sure that the next fetch includes the step.
    again: Callable[[Place, Provider], None] = nothing
    #: What tells it from another step with the same names.
    case: str = ""

    @property
    def attempts(self) -> int:
        """The number of attempts if each of them fails."""
        return 2 if self.factory in _ENDPOINTS else 3

    def __str__(self) -> str:
        return f"{self.operation} of {self.factory}" + (f", {self.case}" if self.case else "")


def _web_token(place: Place) -> Provider:
    return from_web_token(
        role_arn=ROLE,
        web_identity_token=fakes.secret("token"),
        client_config=place.client_config(),
    ).bind(Scope(clock=place.clock))


def _job(place: Place) -> Provider:
    """A role for the token of a job on GitHub Actions."""
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{place.aws.url}/idtoken?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": fakes.secret("request-token"),
    }
    scope = Scope(clock=place.clock, environ=environ)
    # Short: an attempt that takes its time must leave enough for another one, and for the role.
    timeout = min(place.timeout, 1)
    source = GitHubActionsToken("sts.amazonaws.com", timeout=timeout, scope=scope)
    return from_web_token(
        role_arn=ROLE, web_identity_token=source, client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def _issuer(place: Place) -> Provider:
    """A role for the token of an authorization server."""
    source = OAuthToken(
        issuer=place.aws.url,
        client_id="app",
        client_secret=fakes.secret("client-secret"),
        timeout=min(place.timeout, 1),  # as for a job
        bound_to=Scope(clock=place.clock),
    )
    return from_web_token(
        role_arn=ROLE, web_identity_token=source, client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def token_file(place: Place) -> Provider:
    """A role for the token in a file."""
    path = place.home / f"{place.name}.token"
    path.write_text(fakes.secret("token"), encoding="utf-8")
    return from_token_file(
        role_arn=ROLE, web_identity_token_file=str(path), client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def _temporary(place: Place) -> Provider:
    return from_temporary_credentials(
        params={"RoleArn": ROLE, "ExternalId": fakes.secret("external-id")},
        master_credentials=FrozenCredentials("AKIAMASTER", fakes.secret("secret-key")),
        client_config=place.client_config(),
    ).bind(Scope(clock=place.clock))


def _chain(place: Place) -> Provider:
    links = (lambda: None, _web_token(place))
    return create_credential_chain(*links).bind(Scope(clock=place.clock))


def profile(place: Place, factory: Any = from_ini, **given: Any) -> Provider:
    """A role of a profile, on top of static credentials."""
    path = place.home / f"{place.name}.config"
    path.write_text(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = keys\n[profile keys]\n"
        f"aws_access_key_id = AKIAFILE\naws_secret_access_key = {fakes.secret('secret-key')}\n",
        encoding="utf-8",
    )
    return factory(
        profile="app", config_filepath=str(path), client_config=place.client_config(), **given
    ).bind(Scope(clock=place.clock))


def _logins() -> dict[str, str]:
    return {"accounts.google.com": fakes.secret("token")}


def _identity(place: Place) -> Provider:
    return from_cognito_identity(
        identity_id=IDENTITY, logins=_logins(), client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def _pool(place: Place) -> Provider:
    return from_cognito_identity_pool(
        identity_pool_id=POOL, logins=_logins(), client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def _forget_identity(_: Place, provider: Any) -> None:
    provider._cell.ids.log_out()


def sso(place: Place) -> Provider:
    """Credentials for a start URL, with a login of eight hours."""
    url = f"{START_URL}/{place.name}"
    fakes.sso_token(place.home, url, place.clock.time + 28_800)
    return from_sso(
        sso_start_url=url,
        sso_account_id="123456789012",
        sso_region=REGION,
        sso_role_name="Role",
        client_config=place.client_config(),
    ).bind(Scope(clock=place.clock))


def _sso_session(left: int) -> tuple[Callable[[Place], Provider], Callable[..., None]]:
    """Credentials for a session whose token has ``left`` seconds to live, and must be renewed."""

    def log_in(place: Place, _: object = None) -> None:
        fakes.sso_token(place.home, place.name, place.clock.time + left)

    def build(place: Place) -> Provider:
        path = place.home / f"{place.name}.config"
        path.write_text(
            f"[sso-session {place.name}]\nsso_start_url = {START_URL}\nsso_region = {REGION}\n",
            encoding="utf-8",
        )
        log_in(place)
        return from_sso(
            sso_session=place.name,
            sso_account_id="123456789012",
            sso_role_name="Role",
            config_filepath=str(path),
            client_config=place.client_config(),
        ).bind(Scope(clock=place.clock))

    return build, log_in


def login(left: int) -> tuple[Callable[[Place], Provider], Callable[..., None]]:
    """Credentials of a login that have ``left`` seconds to live, and must be renewed."""

    def log_in(place: Place, _: object = None) -> None:
        directory = place.home / f"{place.name}.login"
        fakes.login_token(directory, ROLE, place.clock.time + left)

    def build(place: Place) -> Provider:
        log_in(place)
        directory = str(place.home / f"{place.name}.login")
        return from_login_credentials(login_session=ROLE, client_config=place.client_config()).bind(
            Scope(clock=place.clock, environ={"AWS_LOGIN_CACHE_DIRECTORY": directory})
        )

    return build, log_in


def _roles_anywhere(place: Place) -> Provider:
    key = x509.ec_key()
    certificate, private = (place.home / f"{place.name}.{end}" for end in ("pem", "key"))
    certificate.write_bytes(x509.pem(x509.issue("server", key)))
    private.write_bytes(x509.pem_of(key))
    private.chmod(0o600)
    return from_roles_anywhere(
        trust_anchor_arn=f"arn:aws:rolesanywhere:{REGION}:123456789012:trust-anchor/TA",
        profile_arn=f"arn:aws:rolesanywhere:{REGION}:123456789012:profile/P",
        role_arn=ROLE,
        certificate=str(certificate),
        private_key=str(private),
        client_config=place.client_config(),
    ).bind(Scope(clock=place.clock))


def _http(place: Place) -> Provider:
    return from_http(
        aws_container_credentials_full_uri=f"{place.aws.url}/{fakes.secret('path')}",
        aws_container_authorization_token=fakes.secret("token"),
        timeout=place.timeout,
        max_retries=1,
    ).bind(Scope(clock=place.clock))


def container(place: Place) -> Provider:
    """The endpoint of a container, whose token is in a file."""
    path = place.home / f"{place.name}.token"
    path.write_text(fakes.secret("token"), encoding="utf-8")
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{place.aws.url}/{fakes.secret('path')}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(path),
    }
    return from_container_metadata(timeout=place.timeout, max_retries=1).bind(
        Scope(clock=place.clock, environ=environ)
    )


def _instance(place: Place) -> Provider:
    aws: Any = place.aws
    tokens = [None]

    def token(_: fakes.Request) -> fakes.Answer:
        tokens.append(fakes.secret("metadata-token"))
        return fakes.Answer(str(tokens[-1]).encode())

    def role(request: fakes.Request) -> fakes.Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        is_known = headers.get("x-aws-ec2-metadata-token") in tokens
        return fakes.Answer(ROLE_NAME.encode()) if is_known else fakes.Answer(status=401)

    keys = ("GetInstanceKeys", "instance_keys")
    aws.ROUTES = {**aws.ROUTES, ("GET", f"{fakes.INSTANCE_ROLE}{ROLE_NAME}"): keys}
    aws.metadata_token, aws.instance_role = token, role
    aws.endpoint = lambda _: fakes.Answer(status=404)  # credentials of another role
    session = botocore.session.Session()
    session.set_config_variable("ec2_metadata_service_endpoint", place.aws.url)
    return from_instance_metadata(
        timeout=place.timeout, max_retries=1, ec2_metadata_v1_disabled=False
    ).bind(Scope(session, clock=place.clock, environ={}))


def _rewritten(
    build: Callable[[Place], Provider], write: Callable[[Place], Path]
) -> tuple[Callable[[Place], Provider], Callable[..., None]]:
    """Make a local step of ``build``, with ``write`` for its file."""

    def again(place: Place, _: object = None) -> None:
        if place.path is not None and place.path.is_dir():
            place.path.rmdir()
        place.path = write(place)

    def built(place: Place) -> Provider:
        provider = build(place)
        again(place)
        return provider

    return built, again


def _write_token(place: Place) -> Path:
    path = place.home / f"{place.name}.token"
    path.write_text(fakes.secret("token"), encoding="utf-8")
    return path


def _write_login(place: Place) -> Path:
    directory = place.home / f"{place.name}.login"
    return fakes.login_token(directory, ROLE, place.clock.time + 900)


def _write_sso(place: Place) -> Path:
    return fakes.sso_token(place.home, f"{START_URL}/{place.name}", place.clock.time + 28_800)


def _write_profile(place: Place) -> Path:
    profile(place)
    return place.home / f"{place.name}.config"


def _process(place: Place) -> Provider:
    program = place.home / f"{place.name}.sh"
    return from_process(credential_process=f"sh {program}", timeout=1).bind(
        Scope(clock=place.clock)
    )


def _token_process(place: Place) -> Provider:
    source = TokenProcess(f"sh {place.home / place.name}.sh", timeout=1)
    return from_web_token(
        role_arn=ROLE, web_identity_token=source, client_config=place.client_config()
    ).bind(Scope(clock=place.clock))


def _write_printed_token(place: Place) -> Path:
    path = _write_token(place)
    path.with_suffix(".sh").write_text(f"exec cat {path}", encoding="utf-8")
    return path


def _write_printed(place: Place) -> Path:
    path = place.home / f"{place.name}.json"
    keys = place.aws.keys()
    printed = {**keys, "SessionToken": keys.pop("Token"), "Version": 1}
    path.write_text(json.dumps(printed, indent=1), encoding="utf-8")
    (place.home / f"{place.name}.sh").write_text(f"exec cat {path}", encoding="utf-8")
    return path


def _local_step(name: str, factory: str, build: Any, write: Any, case: str = "") -> Step:
    built, again = _rewritten(build, write)
    return Step(name, factory, name, built, again=again, case=case)


_sso_expired, _sso_expire = _sso_session(-60)
_sso_valid, _sso_nearly_expire = _sso_session(60)
_login_expired, _login_expire = login(-60)
_login_valid, _login_nearly_expire = login(60)

STEPS = (
    Step("AssumeRoleWithWebIdentity", "from_web_token", "web", _web_token),
    Step("AssumeRoleWithWebIdentity", "from_token_file", "web", token_file),
    Step("AssumeRoleWithWebIdentity", "create_credential_chain", "web", _chain),
    Step("AssumeRole", "from_temporary_credentials", "role", _temporary),
    Step("AssumeRole", "from_ini", "role", profile),
    Step("AssumeRole", "from_default_chain", "role", partial(profile, factory=from_default_chain)),
    Step("GetCredentialsForIdentity", "from_cognito_identity", "cognito", _identity),
    Step("GetCredentialsForIdentity", "from_cognito_identity_pool", "kept identity", _pool,
         "GetId"),
    Step("GetId", "from_cognito_identity_pool", "identity", _pool, again=_forget_identity),
    Step("GetRoleCredentials", "from_sso", "sso", sso),
    Step("CreateSession", "from_roles_anywhere", "certificate", _roles_anywhere),
    Step("CreateToken", "from_sso", "token", _sso_expired, again=_sso_expire),
    Step(
        "CreateToken", "from_sso", "kept token", _sso_valid, again=_sso_nearly_expire,
        case="the token in the file is still valid",
    ),
    Step("CreateOAuth2Token", "from_login_credentials", "login", _login_expired,
         again=_login_expire),
    Step(
        "CreateOAuth2Token", "from_login_credentials", "kept login", _login_valid,
        again=_login_nearly_expire, case="the credentials in the file are still valid",
    ),
    Step("GET", "from_http", "endpoint", _http),
    Step("GET", "from_container_metadata", "endpoint", container),
    Step("GetIdToken", "from_web_token", "job", _job, case="`github-actions://`"),
    Step("GetToken", "from_web_token", "issuer", _issuer, case="`oauth://`"),
    Step("GetMetadataToken", "from_instance_metadata", "instance token", _instance),
    Step("GetInstanceRole", "from_instance_metadata", "instance", _instance, "GetMetadataToken"),
    Step("GetInstanceKeys", "from_instance_metadata", "instance keys", _instance,
         "GetInstanceRole"),
)  # fmt: skip
LOCAL = (
    _local_step("the token file", "from_token_file", token_file, _write_token),
    _local_step("the authorization file", "from_container_metadata", container, _write_token),
    _local_step("the cache of `aws sso login`", "from_sso", sso, _write_sso),
    _local_step("the cache of `aws login`", "from_login_credentials", login(900)[0], _write_login),
    _local_step("the config file", "from_ini", partial(profile, ignore_cache=True), _write_profile,
                "ignore_cache=True"),
    _local_step("a process", "from_process", _process, _write_printed),
    _local_step("a token process", "from_web_token", _token_process, _write_printed_token),
)  # fmt: skip
