"""What of a replay is not as the vector has it: a line for each."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .case import Seen, Sent
from .wires import compared_parts, parameters
from .world import bare

_NAMES = ("access_key_id", "secret_access_key", "session_token", "account_id", "expiry")


def is_keys(outcome: Any) -> bool:
    """Whether credentials were found."""
    return isinstance(outcome, dict) and "access_key_id" in outcome


def _instead(outcome: Any) -> str:
    if isinstance(outcome, dict) and "error" in outcome:
        text = " ".join(outcome["text"].split("\n")[:1])
        return f"{outcome['error'].rpartition('.')[2]}: {text}"
    return "keys" if is_keys(outcome) else str(outcome)


def _differing(wanted: Mapping[str, Any], outcome: Any) -> list[str]:
    """Compare credentials; without any wanted there must be none."""
    if not wanted:
        return ["keys, and there must be none"] if is_keys(outcome) else []
    if not is_keys(outcome):
        return [f"no keys, but {_instead(outcome)}"]
    found = []
    for name in _NAMES:
        want = wanted.get(name, wanted.get("accountId") if name == "account_id" else None)
        # A vector that says nothing of the account has none in mind, and no opinion on it.
        is_open = name == "account_id" and want is None
        if not is_open and outcome[name] != want:
            found.append(f"{name} is {outcome[name]}, not {want}")
    return found


def credentials(wanted: Mapping[str, Any], seen: Seen) -> list[str]:
    """Compare credentials, requests and the features in the user agent."""
    found = _differing(wanted, seen.outcomes[0]) + seen.complaints
    metrics = set(wanted.get("business_metrics", ()))
    if metrics - seen.features:
        found.append(f"the user agent lacks {sorted(metrics - seen.features)}")
    return found


def token(wanted: Mapping[str, Any], seen: Seen) -> list[str]:
    """Compare a bearer token."""
    outcome = seen.outcomes[0]
    is_it = isinstance(outcome, dict) and outcome.get("token") == wanted["token"]
    return [] if is_it else [f"no token, but {_instead(outcome)}"]


def container(
    wanted: Mapping[str, Any] | None, hosts: Mapping[str, Sequence[str]], seen: Seen
) -> list[str]:
    """Compare the one request that goes to a container endpoint, or hold that none does."""
    outcome = seen.outcomes[0]
    if wanted is None:
        sent = [f"sent {one.method} {one.url}" for one in seen.sent]
        return sent + (["keys, and it must be refused"] if is_keys(outcome) else [])
    if len(seen.sent) != 1:
        return [f"{len(seen.sent)} requests, not one; {_instead(outcome)}"]
    found, sent_one = [], seen.sent[0]
    if _normal(sent_one.url) != _normal(wanted["uri"]):
        found.append(f"asked {sent_one.url}, not {wanted['uri']}")
    for name, value in wanted["headers"].items():
        if sent_one.headers.get(name.lower()) != value:
            found.append(f"{name} is {sent_one.headers.get(name.lower())!r}, not {value!r}")
    allowed = hosts.get(str(urlsplit(wanted["uri"]).hostname), [])
    named = str(urlsplit(wanted["uri"]).hostname)
    if allowed and sent_one.address not in (*allowed, named):
        found.append(f"connects to {sent_one.address}")
    return found + ([] if is_keys(outcome) else [f"no keys, but {_instead(outcome)}"])


def _normal(url: str) -> str:
    parts = urlsplit(bare(url))
    return parts._replace(path=parts.path or "/").geturl()


def first_request(wanted: str | None, seen: Seen) -> list[str]:
    """Compare where the metadata service is looked for; None: nowhere."""
    if wanted is None:
        return [f"sent {one.method} {one.url}" for one in seen.sent]
    if not seen.sent:
        return [f"nothing sent; {_instead(seen.outcomes[0])}"]
    one = seen.sent[0]
    is_it = compared_parts(one.method, one.url) == compared_parts("PUT", wanted)
    return [] if is_it else [f"asked {one.method} {one.url}, not PUT {wanted}"]


def instance(wanted: Sequence[Mapping[str, Any]], seen: Seen) -> list[str]:
    """Compare what the uses of the metadata service gave, one after the other."""
    found = list(seen.complaints)
    for number, (one, outcome) in enumerate(zip(wanted, seen.outcomes, strict=True), start=1):
        if one["result"] == "credentials":
            if not is_keys(outcome):
                found.append(f"use {number}: no keys, but {_instead(outcome)}")
            elif outcome["account_id"] != one.get("accountId"):
                account = outcome["account_id"]
                found.append(f"use {number}: account {account}, not {one.get('accountId')}")
        elif is_keys(outcome):
            found.append(f"use {number}: keys, and there must be none")
    return found


def login(
    wanted: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]], seen: Seen
) -> list[str]:
    """Compare the credentials of `aws login`, the request for them, and what is stored."""
    found: list[str] = []
    for one in wanted:
        if one["result"] == "credentials":
            names = {
                "access_key_id": "accessKeyId",
                "secret_access_key": "secretAccessKey",
                "session_token": "sessionToken",
                "account_id": "accountId",
            }
            expected = {name: one[theirs] for name, theirs in names.items()}
            ends = datetime.fromisoformat(one["expiresAt"].replace("Z", "+00:00"))
            found += _differing({**expected, "expiry": ends.timestamp()}, seen.outcomes[0])
        elif one["result"] == "cacheContents":
            for name in set(one) - {"result"}:
                kept = json.loads(seen.files.get(f"/home/.aws/login/cache/{name}", "{}"))
                found += [] if kept == one[name] else ["another content of the token file"]
        elif is_keys(seen.outcomes[0]):
            found.append("keys, and there must be none")
    if [json.loads(one.body) for one in seen.sent] != [
        call["request"]["tokenInput"] for call in calls
    ]:
        found.append(f"sent {[one.url for one in seen.sent]}")
    return found


# Roles: the requests, in order, compared with the steps of the vector.


def role(wanted: Sequence[Mapping[str, Mapping[str, str]]] | None, seen: Seen) -> list[str]:
    """Compare the steps to a role, as far as they can be seen from outside."""
    outcome = seen.outcomes[0]
    if wanted is None:
        return ["keys, and there must be none"] if is_keys(outcome) else []
    asked = [one for one in seen.sent if "169.254.169.254" not in one.url]
    if not is_keys(outcome) or not asked:
        return [f"{len(asked)} requests, and {_instead(outcome)}"]
    found: list[str] = []
    first, *roles = wanted
    ((kind, what),) = first.items()
    if kind == "AccessKey":
        signed_by = re.findall(r"Credential=([^/]+)/", asked[0].headers["authorization"])
        is_it = signed_by == [what["access_key_id"]]
        found += [] if is_it else [f"begins with the keys {signed_by}"]
    elif kind == "NamedSource":
        is_it = len(asked) < len(seen.sent)
        found += [] if is_it else ["does not ask the metadata service"]
    elif kind == "Sso":
        found += _sso(what, asked.pop(0))
    elif kind == "WebIdentityToken":
        found += _assumed("AssumeRoleWithWebIdentity", what, asked.pop(0))
    if len(asked) != len(roles):
        return [*found, f"{len(asked)} further requests, not {len(roles)}"]
    for one, sent in zip(roles, asked, strict=True):
        found += _assumed("AssumeRole", one["AssumeRole"], sent)
    return found


def _sso(wanted: Mapping[str, str], sent: Sent) -> list[str]:
    parts = urlsplit(sent.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    asked = (parts.hostname, query.get("account_id"), query.get("role_name"))
    expected = (
        f"portal.sso.{wanted['sso_region']}.amazonaws.com",
        wanted["sso_account_id"],
        wanted["sso_role_name"],
    )
    return [] if asked == expected else [f"asks {asked}"]


def _assumed(action: str, wanted: Mapping[str, str], sent: Sent) -> list[str]:
    given = parameters(sent)
    expected = {"Action": action, "RoleArn": wanted["role_arn"]}
    names = {"external_id": "ExternalId", "role_session_name": "RoleSessionName"}
    expected |= {theirs: wanted[name] for name, theirs in names.items() if name in wanted}
    found = {name: given.get(name) for name in expected}
    return [] if found == expected else [f"asks {found}"]


# Files.


def parser(wanted: Mapping[str, Any], seen: Seen) -> list[str]:
    """Compare profiles and the other content of the files."""
    outcome = seen.outcomes[0]
    if "error" in outcome:
        is_wanted = "errorContaining" in wanted
        return [] if is_wanted else [f"cannot be read: {outcome['error'].rpartition('.')[2]}"]
    if "errorContaining" in wanted:
        return ["can be read, and must not be"]
    config = outcome["config"]
    sections = wanted.get("config", wanted)
    found = _unlike("profile", sections.get("profiles") or {}, config["profiles"])
    sso = sections.get("sso_sessions", sections.get("sso-sessions"))
    if sso is not None:
        found += _unlike("sso-session", sso, config.get("sso_sessions", {}))
    return found


def _unlike(kind: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    lines = [f"{kind} {name!r} is too many" for name in found.keys() - wanted.keys()]
    lines += [f"{kind} {name!r} is missing" for name in wanted.keys() - found.keys()]
    for name in wanted.keys() & found.keys():
        # Names of keys are case-insensitive; botocore writes them small.
        want = {key.lower(): _flat(value) for key, value in wanted[name].items()}
        have = {key.lower(): _flat(value) for key, value in found[name].items()}
        lines += [
            f"{kind} {name!r}: {key} is {have.get(key)!r}, not {want.get(key)!r}"
            for key in sorted({*want, *have})
            if want.get(key) != have.get(key)
        ]
    return lines


def _flat(value: Any) -> str:
    """Return a value as Rust's vectors spell it: sub-properties as lines."""
    if isinstance(value, Mapping):
        return "".join(f"\n{name} = {one}".rstrip() for name, one in value.items())
    return str(value)


def location(wanted: Mapping[str, Any], seen: Seen) -> list[str]:
    """Compare where the files are, and which profile is read."""
    outcome = seen.outcomes[0]
    expected = {
        "config_file": wanted["configLocation"],
        "credentials_file": wanted["credentialsLocation"],
        "profile": wanted.get("profile", "default"),
    }
    return [
        f"{name} is {outcome.get(name)}, not {value}"
        for name, value in expected.items()
        if outcome.get(name) != value
    ]


def nothing(seen: Seen) -> list[str]:
    """Hold that nothing came out otherwise, where that is what was looked for."""
    return [f"{one}" for one in seen.outcomes]


def refused(seen: Seen) -> list[str]:
    """Hold that there was an error, and no request."""
    found = [f"sent {one.method} {one.url}" for one in seen.sent]
    return found + (["keys, and there must be none"] if is_keys(seen.outcomes[0]) else [])
