"""Reads the vectors of every suite into cases."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from botocore_ext import (
    Provider,
    from_cognito_identity,
    from_container_metadata,
    from_default_chain,
    from_env,
    from_http,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_sso,
    from_token_file,
    from_web_token,
)
from tests.fakes import Answer

from . import verdicts
from .case import Case
from .wires import Account, Exchange, Instance, Recorded, kotlins, metadata_only, rusts, same

CONFIG, CREDENTIALS = "/home/.aws/config", "/home/.aws/credentials"
_NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
_REGION = {"AWS_DEFAULT_REGION": "us-east-1"}
_EXPIRATION = re.compile(r'"?Expiration"?\s*[:>]\s*"?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)')

Factories = Mapping[str, Callable[[Path], Provider]]


def through(**factories: Callable[[], Provider]) -> Factories:
    """Return factories that need to know nothing of the case's directory."""
    return {name: lambda _, make=make: make() for name, make in factories.items()}


#: Besides the chain, the provider that a case is about.
ALSO = {
    "ecs_credentials": through(
        from_container_metadata=from_container_metadata, from_http=from_http
    ),
    "environment_variables": through(from_env=from_env),
    "imds_default_chain_error": through(from_instance_metadata=from_instance_metadata),
    "imds_disabled": through(from_instance_metadata=from_instance_metadata),
    "imds_default_chain_success": through(from_instance_metadata=from_instance_metadata),
    "profile_name": through(from_ini=from_ini),
    "profile_overrides_web_identity": through(from_ini=from_ini),
    "profile_static_keys": through(from_ini=from_ini),
    "credential_process": through(from_process=from_process),
    "sso": through(from_sso=from_sso),
    "web_identity_token_env": through(from_token_file=from_token_file),
    "web_identity_token_profile": through(from_ini=from_ini),
    "web_identity_token_invalid_jwt": through(from_ini=from_ini),
    "web_identity_token_source_profile": through(from_ini=from_ini),
    "web_identity_source_profile_no_env": through(from_ini=from_ini),
}
ALSO |= dict.fromkeys(
    ("ecs_credentials_invalid_profile", "eks_pod_identity_credentials"), ALSO["ecs_credentials"]
)
ALSO |= dict.fromkeys(
    (
        "credential_process_account_id_fallback",
        "credential_process_failure",
        "credential_process_invalid",
    ),
    ALSO["credential_process"],
)
ALSO |= dict.fromkeys(
    (
        "e2e_fips_and_dual_stack_sso",
        "legacy_sso_role",
        "sso_assume_role",
        "sso_credentials",
        "sso_no_token_file",
        "sso_override_global_env_url",
        "sso_server_error",
        "sso_session",
    ),
    ALSO["sso"],
)


def load(directory: Path) -> list[Case]:
    """Return the cases of every suite.

    Raises:
        OSError: A suite is not there.
    """
    return [case for suite in SUITES for case in suite(directory)]


def _json(directory: Path, suite: str) -> Any:
    return json.loads((directory / suite).read_text(encoding="utf-8"))


# Directories of environment, files, recorded requests and their outcomes.


def _chains(directory: Path) -> Iterator[Case]:
    ours = through(from_default_chain=from_default_chain)
    chain = "smithy-rs/aws-config/default-credential-provider-chain"
    yield from _directories(directory, chain, ours, rusts)
    profiles = through(from_ini=from_ini)
    yield from _directories(directory, "smithy-rs/aws-config/profile-provider", profiles, rusts)
    yield from _directories(directory, "kotlin/default-provider-chain", ours, kotlins)


def _tokens(directory: Path) -> Iterator[Case]:
    suite = "smithy-rs/aws-config/default-token-provider-chain"
    yield from _directories(directory, suite, {}, rusts)


def _directories(
    directory: Path,
    suite: str,
    factories: Factories,
    recorded: Callable[[Path], list[Exchange]],
) -> Iterator[Case]:
    for folder in sorted(path for path in (directory / suite).iterdir() if path.is_dir()):
        environment = _json(folder, "env.json")
        result = _json(folder, "test-case.json")["result"]
        wanted = result.get("Ok", {})
        is_token = "token" in wanted
        exchanges = recorded(folder / "http-traffic.json")
        is_profile = suite.endswith("profile-provider")
        chosen = environment.get("AWS_PROFILE", "default")
        yield Case(
            suite=suite,
            name=folder.name,
            key=f"{'token' if is_token else 'chain'} {folder.name}",
            verdict=partial(verdicts.token if is_token else verdicts.credentials, wanted),
            factories={} if is_token else {**factories, **ALSO.get(folder.name, {})},
            # The profile alone: plain botocore would go on to the metadata service.
            environment={**(_NO_METADATA if is_profile else {}), **environment},
            files=_tree(folder / "fs"),
            profile=chosen if is_profile and (folder / "fs").is_dir() else None,
            wire=partial(Recorded, exchanges),
            now=_before(wanted, exchanges),
            secrets=[wanted["secret_access_key"]] if "secret_access_key" in wanted else [],
            act="token" if is_token else "credentials",
            left_out="is about the system properties of a JVM"
            if folder.name == "prefer_system_properties"
            else "",
        )


def _tree(folder: Path) -> dict[str, str]:
    return {
        f"/{path.relative_to(folder)}": path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def _before(wanted: Mapping[str, Any], exchanges: list[Exchange]) -> float:
    """Return a time half an hour before the first of all credentials expires."""
    texts = [text for one in exchanges for text in _EXPIRATION.findall(one.answer.body.decode())]
    ends = [datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for text in texts]
    ends += [wanted["expiry"]] if "expiry" in wanted else []
    return min(ends, default=1_763_510_400.0) - 1800


# Container endpoints.

_KEYS = {
    "AccessKeyId": "ASIACONTAINER",
    "SecretAccessKey": "container-secret",
    "Token": "container-token",
    "Expiration": "2095-01-01T00:00:00Z",
}


def _containers(directory: Path) -> Iterator[Case]:
    suites = {
        "smithy-rs/aws-config/ecs-tests.json": ("tests", "docs"),
        "ruby/ecs_credentials_request.json": ("", "description"),
        "php/ecs-uri-token-resolution.json": ("", "description"),
        "derived/container-endpoint-cases.json": ("tests", "description"),
    }
    for suite, (section, title) in suites.items():
        found = _json(directory, suite)
        for one in found[section] if section else found:
            yield _container(suite, one[title], one)


def _container(suite: str, name: str, one: Mapping[str, Any]) -> Case:
    wanted = one.get("expect") or {}
    request = wanted.get("request")
    if "result" in one:  # Rust's
        uri = one["result"].get("Ok")
        request = uri and {"uri": uri, "headers": {}}
    file = one.get("token_file", {})
    path = one["env"].get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
    hosts = one.get("dns", {})
    return Case(
        suite=suite,
        name=name,
        key=f"container {json.dumps([one['env'], file, hosts], sort_keys=True)}",
        verdict=partial(verdicts.container, request, hosts),
        factories=through(from_http=from_http, from_container_metadata=from_container_metadata),
        environment={**_NO_METADATA, **one["env"]},
        files={path: file["content"]} if "content" in file else {},
        wire=same(Answer(json.dumps(_KEYS).encode())),
        hosts=hosts,
        secrets=[_KEYS["SecretAccessKey"], _KEYS["Token"]],
    )


def _responses(directory: Path) -> Iterator[Case]:
    suite = "ruby/ecs_credentials_response.json"
    for one in _json(directory, suite):
        wanted = dict(one["expect"].get("credentials", {}))
        ends = wanted.pop("expiration", "2023-06-30T00:00:00.000Z")
        expiry = datetime.fromisoformat(ends.replace("Z", "+00:00")).timestamp()
        wanted |= {"expiry": expiry} if wanted else {}
        answer = one["response"]
        body = answer.get("body", "").encode()
        yield Case(
            suite=suite,
            name=one["description"],
            key=f"response {one['description']}",
            verdict=partial(verdicts.credentials, wanted),
            factories=through(from_http=from_http, from_container_metadata=from_container_metadata),
            environment={
                **_NO_METADATA,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/keys",
            },
            wire=same(Answer(body, answer["status"], answer.get("headers", {}))),
            now=expiry - 1800,
        )


# The metadata service of EC2.


def _metadata_endpoints(directory: Path) -> Iterator[Case]:
    variables = {
        "endpoint_override": "ec2_metadata_service_endpoint",
        "mode_override": "ec2_metadata_service_endpoint_mode",
    }
    for suite in (
        "smithy-rs/aws-config/imds-config/imds-endpoint-tests.json",
        "kotlin/embedded-json/IMDS_TEST_SUITE.json",
    ):
        for one in _json(directory, suite)["tests"]:
            given = {key: one.get(key, one.get(_camel(key))) for key in variables}
            name = one.get("docs") or one["name"]
            yield Case(
                suite=suite,
                name=name,
                key=f"metadata endpoint {name}",
                verdict=partial(verdicts.first_request, one["result"].get("Ok")),
                factories=through(from_instance_metadata=from_instance_metadata),
                environment=one["env"],
                files={f"/{path}": text for path, text in one.get("fs", {}).items()},
                settings={variables[key]: value for key, value in given.items() if value},
                wire=lambda: metadata_only,
            )


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)


def _instances(directory: Path) -> Iterator[Case]:
    suite = "php/imds-test-cases.json"
    for one in _json(directory, suite):
        config = one["config"]
        role = config.get("ec2InstanceProfileName")
        named = {"AWS_EC2_INSTANCE_PROFILE_NAME": role} if role else {}
        yield Case(
            suite=suite,
            name=one["summary"],
            key=f"instance {one['summary']}",
            verdict=partial(verdicts.instance, one["outcomes"]),
            factories=through(from_instance_metadata=from_instance_metadata),
            environment={**config.get("envVars", {}), **named},
            wire=partial(Instance, one["expectations"]),
            uses=len(one["outcomes"]),
        )


# `aws login`.


def _logins(directory: Path) -> Iterator[Case]:
    for suite in (
        "smithy-rs/aws-config/login-provider-test-cases.json",
        "botocore/login/login-provider-test-cases.json",
    ):
        for one in _json(directory, suite):
            cache = {
                f"/home/.aws/login/cache/{name}": json.dumps(content)
                for name, content in one["cacheContents"].items()
            }
            calls = one.get("mockApiCalls", [])
            yield Case(
                suite=suite,
                name=one["documentation"],
                key=f"login {one['documentation']}",
                verdict=partial(verdicts.login, one["outcomes"], calls),
                factories=through(from_login_credentials=from_login_credentials),
                environment=_REGION | _NO_METADATA,
                files={CONFIG: one["configContents"], **cache},
                profile="signin",
                wire=partial(Recorded, [_sign_in(call) for call in calls]),
                secrets=["newRefreshedSecretKey", "oldExpiredSecretKey"],
            )


def _sign_in(call: Mapping[str, Any]) -> Exchange:
    output = call.get("response", {}).get("tokenOutput", {})
    answer = Answer(json.dumps(output).encode(), call.get("responseCode", 200))
    return Exchange("POST", "https://us-east-1.signin.aws.amazon.com/v1/token", {}, answer)


# Profiles with roles.


def _roles(directory: Path) -> Iterator[Case]:
    suite = "smithy-rs/aws-config/assume-role-tests.json"
    for number, one in enumerate(_json(directory, suite)):
        given, wanted = one["input"], one["output"].get("ProfileChain")
        files = {CONFIG: _ini(given)}
        if "web_identity_token_file" in files[CONFIG]:
            files["/var/token.jwt"] = "web-identity-token"
        if "sso_" in files[CONFIG]:
            files |= _sso_token("https://foo.bar")
        needs_metadata = "Ec2InstanceMetadata" in files[CONFIG]
        is_token = wanted is not None and "sso_session" in wanted[0].get("Sso", {})
        yield Case(
            suite=suite,
            name=f"{number}: {one['docs']}",
            key=f"role {number}",
            verdict=partial(verdicts.role, wanted),
            factories=through(from_ini=from_ini),
            environment=_REGION | ({} if needs_metadata else _NO_METADATA),
            files=files,
            profile=given["selected_profile"],
            wire=Account,
            left_out="gives a bearer token, and no credentials" if is_token else "",
        )


def _ini(given: Mapping[str, Any]) -> str:
    sections = {f"profile {name}": keys for name, keys in given["profiles"].items()}
    for name, keys in given.get("sso_sessions", {}).items():
        sections[f"sso-session {name}"] = keys
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def _sso_token(start_url: str) -> dict[str, str]:
    from botocore_ext.providers.sso import _digest  # noqa: PLC0415 - of one suite's business only

    token = {
        "accessToken": "sso-token",
        "expiresAt": "2095-01-01T00:00:00Z",
        "startUrl": start_url,
    }
    return {f"/home/.aws/sso/cache/{_digest(start_url)}.json": json.dumps(token)}


# The AWS files.


def _from_files(root: Path) -> Provider:
    return from_ini(
        config_filepath=f"{root}{CONFIG}", filepath=f"{root}{CREDENTIALS}", profile="default"
    )


def _parsers(directory: Path) -> Iterator[Case]:
    for suite in (
        "smithy-rs/aws-runtime/profile-parser-tests.json",
        "kotlin/embedded-json/PARSER_TEST_SUITE_JSON.json",
    ):
        for one in _json(directory, suite)["tests"]:
            given, wanted = one["input"], one["output"]
            files = {CONFIG: given.get("configFile"), CREDENTIALS: given.get("credentialsFile")}
            yield Case(
                suite=suite,
                name=one["name"],
                key=f"parser {one['name']}",
                verdict=partial(verdicts.parser, wanted),
                factories={"from_ini": _from_files},
                files={path: text for path, text in files.items() if text is not None},
                act="files",
            )


def _locations(directory: Path) -> Iterator[Case]:
    for suite in (
        "smithy-rs/aws-runtime/file-location-tests.json",
        "kotlin/embedded-json/LOADER_TEST_SUITE_JSON.json",
    ):
        for one in _json(directory, suite)["tests"]:
            left_out = "" if one["platform"] == "linux" else "is about Windows"
            if not left_out and "HOME" not in one["environment"]:
                left_out = "is about a home that the operating system names"
            yield Case(
                suite=suite,
                name=one["name"],
                key=f"location {one['name']}",
                verdict=partial(verdicts.location, one),
                factories=through(from_ini=from_ini),
                environment=one["environment"],
                act="files",
                left_out=left_out,
            )


# Refresh, and names of regions.


def _refreshes(directory: Path) -> Iterator[Case]:
    suite = "smithy-rs/credential-refresh/credential-refresh-tests.json"
    for number, one in enumerate(_json(directory, suite)):
        yield Case(
            suite=suite,
            name=f"{number}: {one['documentation']}",
            key=f"refresh {number}",
            verdict=verdicts.nothing,
            factories=through(refresh=from_env),  # the decision alone, and the whole object
            act="refresh",
            data=one,
        )


def _regions(directory: Path) -> Iterator[Case]:
    suite = "derived/region-injection.json"
    for value in _json(directory, suite)["must_reject_as_region"]:
        config = (
            "[default]\nsso_start_url = https://foo.bar\nsso_account_id = 123456789012\n"
            f"sso_role_name = role\nsso_region = {value}\n"
        )
        given = {"region_name": value}
        web = partial(
            from_web_token,
            web_identity_token="token",
            role_arn="arn:aws:iam::123456789012:role/Web",
            client_config=given,
        )
        identity = partial(
            from_cognito_identity,
            identity_id="us-east-1:00000000-0000-0000-0000-000000000000",
            client_config=given,
        )
        yield Case(
            suite=suite,
            name=value,
            key=f"region {value}",
            verdict=verdicts.refused,
            factories=through(
                from_sso=from_sso, from_web_token=web, from_cognito_identity=identity
            ),
            environment=_NO_METADATA,
            files={CONFIG: config, **_sso_token("https://foo.bar")},
            wire=Account,
        )


SUITES = (
    _chains,
    _tokens,
    _containers,
    _responses,
    _metadata_endpoints,
    _instances,
    _logins,
    _roles,
    _parsers,
    _locations,
    _refreshes,
    _regions,
)
