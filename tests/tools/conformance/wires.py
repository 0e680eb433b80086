"""What answers the requests of a replay."""

import json
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fakes import Answer

from .case import Sent, Wire
from .world import bare

_LATER = "2095-01-01T00:00:00Z"
_IMDS_TOKEN = Answer(b"imds-token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "21600"})
_NOT_FOUND = Answer(status=404)
_EXTENDED = "security-credentials-extended"
_COMPARED = ("authorization", "x-aws-ec2-metadata-token")


@dataclass
class Exchange:
    """A request and its answer, as another SDK has recorded them."""

    method: str
    url: str
    headers: dict[str, str]
    answer: Answer


def kotlins(path: Path) -> list[Exchange]:
    """Read a list of requests and responses."""
    if not path.is_file():
        return []
    return [
        Exchange(
            one["request"]["method"],
            one["request"]["uri"],
            {name.lower(): value for name, value in one["request"]["headers"].items()},
            _answer(one["response"]["status"], one["response"].get("body") or ""),
        )
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]


def rusts(path: Path) -> list[Exchange]:
    """Fold a list of events into requests and answers."""
    if not path.is_file():
        return []
    connections: dict[int, dict[str, Any]] = {}
    for event in json.loads(path.read_text(encoding="utf-8"))["events"]:
        one = connections.setdefault(event["connection_id"], {"Request": "", "Response": ""})
        ((kind, what),) = event["action"].items()
        if kind == "Data":
            one[what["direction"]] += what["data"]["Utf8"]
        elif kind in ("Request", "Response"):
            one[kind.lower()] = what[kind.lower()]
    found = []
    for one in connections.values():
        request, status = one["request"], one["response"]["Ok"]["status"]
        headers = {name.lower(): values[0] for name, values in request["headers"].items()}
        answer = _answer(status, one["Response"])
        found.append(Exchange(request["method"], request["uri"], headers, answer))
    return found


def _answer(status: int, body: str) -> Answer:
    kind = "text/xml" if body.lstrip().startswith("<") else "application/json"
    return Answer(body.encode(), status, {"Content-Type": kind})


def compared_parts(method: str, url: str) -> tuple[str, ...]:
    """Return what of a request is compared; the query only of a GET."""
    parts = urlsplit(bare(url))
    query = sorted(urllib.parse.parse_qsl(parts.query)) if method == "GET" else []
    return method, parts.scheme, parts.netloc, parts.path.rstrip("/"), str(query)


@dataclass
class Recorded:
    """Answers in the order of the recording, whatever the request is."""

    exchanges: Sequence[Exchange]
    done: int = 0

    def __call__(self, sent: Sent, number: int) -> tuple[Answer, str]:
        """Give the next answer, and say what is otherwise than in the recording."""
        left = self.exchanges[self.done :]
        if _EXTENDED in sent.url and not any(_EXTENDED in one.url for one in left):
            return _NOT_FOUND, ""  # recorded before there was this path
        if not left:
            return _NOT_FOUND, f"a request too many: {sent.method} {sent.url}"
        self.done += 1
        wanted = left[0]
        if compared_parts(sent.method, sent.url) != compared_parts(wanted.method, wanted.url):
            fact = f"request {number}: {sent.method} {sent.url}, not {wanted.method} {wanted.url}"
            return wanted.answer, fact
        for name in _COMPARED:
            value = wanted.headers.get(name, "AWS4")
            if not value.startswith("AWS4") and value != sent.headers.get(name):
                return wanted.answer, f"request {number}: another {name}"
        return wanted.answer, ""

    def rest(self) -> list[str]:
        """Say what was recorded and not asked."""
        return [f"not sent: {one.method} {one.url}" for one in self.exchanges[self.done :]]


def same(answer: Answer) -> Callable[[], Wire]:
    """Give one answer to every request."""
    return lambda: lambda _sent, _number: (answer, "")


def metadata_only(sent: Sent, _number: int) -> tuple[Answer, str]:
    """Give a token, and nothing that it is for."""
    return (_IMDS_TOKEN if sent.method == "PUT" else _NOT_FOUND), ""


@dataclass
class Instance:
    """The metadata service as a list of paths and answers has it."""

    expectations: Sequence[Mapping[str, Any]]
    done: int = 0

    def __call__(self, sent: Sent, number: int) -> tuple[Answer, str]:
        """Give the next answer; tokens are for nothing."""
        if sent.method == "PUT":
            return _IMDS_TOKEN, ""
        path, left = urlsplit(sent.url).path, self.expectations[self.done :]
        if not left:
            return _NOT_FOUND, f"a request too many: {path}"
        self.done += 1
        body = left[0]["response"].get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        answer = Answer(text.encode(), left[0]["response"]["status"])
        wanted = left[0]["get"]
        is_it = path.rstrip("/") == wanted.rstrip("/")
        return answer, "" if is_it else f"request {number}: {path}, not {wanted}"

    def rest(self) -> list[str]:
        """Say what was not asked."""
        return [f"not asked: {one['get']}" for one in self.expectations[self.done :]]


@dataclass
class Account:
    """STS, the metadata service and IAM Identity Center, with credentials for every caller."""

    def __call__(self, sent: Sent, _number: int) -> tuple[Answer, str]:
        """Give credentials."""
        if "169.254.169.254" in sent.url:
            return self._metadata(sent), ""
        if sent.method == "POST":
            return self._sts(sent), ""
        keys = {
            "accessKeyId": "ASIASSO",
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "expiration": 3_900_000_000_000,
        }
        return _answer(200, json.dumps({"roleCredentials": keys})), ""

    def _metadata(self, sent: Sent) -> Answer:
        if sent.method == "PUT":
            return _IMDS_TOKEN
        if _EXTENDED in sent.url:
            return _NOT_FOUND
        if re.search(r"security-credentials/?$", sent.url):
            return Answer(b"role")
        keys = {
            "Code": "Success",
            "AccessKeyId": "ASIAIMDS",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": _LATER,
        }
        return Answer(json.dumps(keys).encode())

    def _sts(self, sent: Sent) -> Answer:
        action = parameters(sent)["Action"]
        body = f"""<{action}Response><{action}Result><Credentials>
            <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
            <SessionToken>token</SessionToken><Expiration>{_LATER}</Expiration></Credentials><AssumedRoleUser>
            <Arn>arn:aws:sts::123456789:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId>
            </AssumedRoleUser></{action}Result></{action}Response>"""
        return _answer(200, body)


def parameters(sent: Sent) -> dict[str, str]:
    """Return the parameters of a request in AWS's query protocol."""
    return dict(urllib.parse.parse_qsl(sent.body, keep_blank_values=True))
