"""The outcome of a case, in a form in which two languages and two runs can be compared."""

import json
import re
import time
from datetime import datetime
from itertools import groupby
from urllib.parse import parse_qsl, urlsplit

from tests import fakes

#: What differs from run to run -> what replaces it.
_RUNS = [
    (re.compile(r"\b([a-z-]+)-\d{6}-do-not-show\b"), r"<secret \1>"),
    (re.compile(r"\b(aws-sdk-js-session|aws-sdk-js|botocore-ext)-\d{10,13}\b"), "<session name>"),
    (re.compile(r"(pipe|fd|pid)[ :]\d+"), r"\1 N"),
]
_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/.*"
)
#: Headers that say who asks, under the names that a record has for them.
_HEADERS = {
    "authorization": "authorization",
    "x-parity-host": "host",
    "x-amz-security-token": "session token",
    "x-amz-sso_bearer_token": "bearer token",
    "x-aws-ec2-metadata-token": "metadata token",
    "x-aws-ec2-metadata-token-ttl-seconds": "metadata token lifetime",
}
#: Operations whose path belongs to the service.
_ROUTED = {operation for operation, _ in fakes.FakeAws.ROUTES.values()}


def result(outcomes, requests, known):
    """Return outcomes and requests without what differs from run to run."""
    # A port alone may be part of any other number.
    stand_ins = {name: text for name, text in known.items() if name != "<port>"}
    stand_ins[":<port>"] = f":{known['<port>']}"
    longest_first = sorted(stand_ins.items(), key=lambda one: -len(one[1]))
    record = _steady([_request(one) for one in requests], longest_first)
    return {
        "outcomes": _steady([_pruned(one) for one in outcomes], longest_first),
        "requests": _repeated(record),
    }


def _pruned(outcome):
    return {
        kind: {name: value for name, value in content.items() if value is not None}
        for kind, content in outcome.items()
    }


def _request(request):
    parts = urlsplit(request.target)
    parameters = dict(request.parameters)
    record = {"operation": request.operation}
    if request.operation in _ROUTED:
        parameters |= dict(parse_qsl(parts.query))
    else:
        # One adds a slash to the path of an endpoint, the other does not.
        target = request.target.rstrip("/") if parameters else request.target
        record |= {"target": target} if target.strip("/") else {}
    if parameters:
        record["parameters"] = parameters
    headers = {name.lower(): value for name, value in request.headers.items()}
    record |= {name: headers[header] for header, name in _HEADERS.items() if header in headers}
    if "dpop" in headers:
        record["DPoP"] = "signed"
    signature = _SIGNATURE.match(record.get("authorization", ""))
    if signature:
        record["authorization"] = "signed with {key} for {service} in {region}".format(
            **signature.groupdict()
        )
    return record


def _repeated(requests):
    """Say only once what was sent several times in a row."""
    groups = [(one, len(list(same))) for one, same in groupby(requests)]
    return [one | ({"times": times} if times > 1 else {}) for one, times in groups]


def _steady(value, known):
    if isinstance(value, dict):
        return {name: _steady(entry, known) for name, entry in value.items()}
    if isinstance(value, list):
        return [_steady(entry, known) for entry in value]
    if not isinstance(value, str):
        return value
    for name, text in known:
        value = value.replace(text, name)
    for pattern, stands_for in _RUNS:
        value = pattern.sub(stands_for, value)
    return _from_now(value)


def _from_now(value):
    """Say a time near to now by its distance."""
    if re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is None:
        return value
    moment = datetime.fromisoformat(value[:19] + "+00:00").timestamp()
    minutes = round((moment - time.time()) / 60)
    return f"in {minutes} minutes" if abs(minutes) < 24 * 60 else value


# The comparison.


def without_texts(record):
    """Return a result without what an error says, which is Node.js's own in part."""
    outcomes = [
        {"error": {**one["error"], "message": ""}} if "error" in one else one
        for one in record["outcomes"]
    ]
    return {**record, "outcomes": outcomes}


def differences(javascript, python):
    """Return what is not the same, each as ``field: in JavaScript -> in Python``.

    If one has credentials and the other an error, or credentials of another source, nothing else
    is compared. If the two send different operations, only these are.
    """
    sides = [_sides(javascript), _sides(python)]
    sent = [[one["operation"] for one in record["requests"]] for record in (javascript, python)]
    if sent[0] == sent[1]:
        for side, record in zip(sides, (javascript, python), strict=True):
            side += [_fields(one) for one in record["requests"]]
    found = {}
    for one, other in zip(*sides, strict=True):
        pairs = {
            field: (one.get(field, "nothing"), other.get(field, "nothing"))
            for field in sorted({*one, *other})
        }
        unlike = {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
        first = next((field for field in _FIRST if field in unlike), None)
        for field in unlike if first is None else [first]:
            found["{}: {} -> {}".format(field, *unlike[field])] = None
    return list(found)


#: What else belongs to the credentials, or is compared only where there are credentials.
_FIRST = ("outcome", "keys access_key")


def _sides(record):
    requests = ", ".join(_often(one) for one in record["requests"]) or "none"
    return [*(_outcome(one) for one in record["outcomes"]), {"requests": requests}]


def _often(request):
    times = request.get("times", 1)
    return request["operation"] + (f" x {times}" if times > 1 else "")


def _outcome(outcome):
    if "keys" in outcome:
        return {"outcome": "keys"} | _flat("keys", outcome["keys"])
    return {"outcome": _error(outcome["error"])}


def _error(error):
    # One has it in the name of a class, the other as it was sent.
    code = f" {error['code'].removesuffix('Exception')}" if "code" in error else ""
    return f"{error['kind']} error{code}, {'goes on' if error['try_next_link'] else 'stops'}"


def _fields(request):
    content = {name: value for name, value in request.items() if name not in ("operation", "times")}
    return _flat(request["operation"], content.pop("parameters", {}) | content)


def _flat(prefix, content):
    found = {}
    for name, value in content.items():
        if isinstance(value, dict) and value:
            found |= _flat(f"{prefix} {name}", value)
        else:
            found[f"{prefix} {name}"] = value if isinstance(value, str) else json.dumps(value)
    return found
