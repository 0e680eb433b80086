"""Cases as data: the content of ``tests/cases``, filled in and made ready to run.

``tests/test_cases.py`` runs those that say what to expect; ``tests/test_parity.py`` those that
have a counterpart in JavaScript, of which the record says what to expect.
"""

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from awscrt.crypto import EC, ECExportFormat, ECType

from tests import fakes

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

FOLDER = Path(__file__).parent.parent / "cases"
#: What a variation adds to, rather than replaces.
_ADDED = ("environment", "files", "options")
#: Options that JavaScript has not, under any name.
_ONLY_HERE = {"credential_process", "login_session", "refresh_window"}


def read(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def replayed():
    """Give the cases that have a counterpart in JavaScript, by name.

    Below a case stand its ``variations``, each with what is different in it. ``defaults`` hold for
    all cases of a file.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        content = read(path)
        for written in content["case"]:
            if not _has_counterpart(written):
                continue
            base = _varied(content.get("defaults", {}), written)
            variations = base.pop("variations", [])
            for case in [base, *(_varied(base, one) for one in variations)]:
                assert case["name"] not in found, case["name"]
                found[case["name"]] = case
    return found


def _has_counterpart(case):
    """Whether JavaScript has it, unlike settings of this package in a profile, and some options."""
    options = set(case.get("options", {}))
    if case.get("provider") == "from_process" and "timeout" in options:
        return False
    return "provider" in case and not options & _ONLY_HERE


def _varied(base, changes):
    case = {**base, **changes}
    for name in _ADDED:
        if name in base or name in changes:
            case[name] = {**base.get(name, {}), **changes.get(name, {})}
    if "name" in base and "name" in changes:
        case["name"] = f"{base['name']}: {changes['name']}"
    return case


#: awscrt writes a key in 250 without its leading zero, and cannot read that.
_KEY_BYTES = 121


def filled(value, known):
    """Put the addresses, paths, times and secrets of this run into a case."""
    if isinstance(value, dict):
        return {filled(name, known): filled(entry, known) for name, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, known) for entry in value]
    if not isinstance(value, str):
        return value
    for name, kind, argument in re.findall(r"(<(secret|in|sha1|sha256) ([^<>]+)>)", value):
        known.setdefault(name, _MADE[kind](argument))
    if "<dpop key>" in value:
        known.setdefault("<dpop key>", _dpop_key())
    for name, text in known.items():
        value = value.replace(name, text)
    return value


def _dpop_key():
    """Make up the key that signs the renewal of a login, as a JSON file has it."""
    key = b""
    while len(key) != _KEY_BYTES:
        key = EC.export_key(EC.new_generate(ECType.P_256), ECExportFormat.SEC1)
    body = base64.b64encode(key).decode()
    fakes.SECRETS.add(body)
    return f"-----BEGIN EC PRIVATE KEY-----\\n{body}\\n-----END EC PRIVATE KEY-----\\n"


_MADE = {
    "secret": fakes.secret,
    # So many seconds from now.
    "in": lambda seconds: fakes.at(time.time() + int(seconds)),
    # Token files have such names.
    "sha1": lambda text: hashlib.sha1(text.encode()).hexdigest(),
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


def write_files(case, home):
    """Write the files of a case; ``config`` and ``credentials`` are files, too."""
    short = {name: case[name] for name in ("config", "credentials") if name in case}
    for name, text in (case.get("files", {}) | short).items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, data in case.get("binary_files", {}).items():
        (home / name).write_bytes(bytes.fromhex(data))


def script(case, aws):
    """Tell the fake what to answer."""
    for given in case.get("answers", []):
        answer = dict(given)
        operation, times = answer.pop("operation"), answer.pop("times", 1)
        if "error" in answer:
            made = _refusal(answer.pop("error"), answer)
        else:
            body = answer.pop("body", "")
            body = json.dumps(body) if isinstance(body, dict) else body
            made = fakes.Answer(body.encode() * answer.pop("repeat", 1), **answer)
        aws.script(operation, *[made] * times)


def prepare(case, world, aws, monkeypatch):
    """Make this process's world that of a case."""
    write_files(case, world)
    script(case, aws)
    for name, text in case.get("environment", {}).items():
        monkeypatch.setenv(name, text)


def _refusal(code, more):
    def refuse(request):
        # The fake knows the protocol by a header that JavaScript writes in small letters.
        headers = {name.title(): value for name, value in request.headers.items()}
        return fakes.error(code, **more)(replace(request, headers=headers))

    return refuse


#: Far away and always the same: when the credentials of the fake expire.
EXPIRY = datetime(2099, 1, 1, tzinfo=timezone.utc).timestamp()


class SteadyAws(fakes.FakeAws):
    """A loopback AWS that gives the same credentials in each run: they name the request."""

    def __init__(self):
        super().__init__()
        self.now = lambda: EXPIRY - self.lifetime

    def keys(self, request=None):
        number = f"{len(self.requests):02d}"
        secrets = f"SECRET-OF-REQUEST-{number}", f"TOKEN-OF-REQUEST-{number}"
        fakes.SECRETS.update(secrets)
        return {
            "AccessKeyId": f"KEY-OF-REQUEST-{number}",
            "SecretAccessKey": secrets[0],
            "Token": secrets[1],
            "Expiration": fakes.at(EXPIRY),
        }

    def token(self):
        signature = f"SIGNATURE-OF-REQUEST-{len(self.requests):02d}"
        fakes.SECRETS.add(signature)
        return f"e30.e30.{signature}"


def environment(case, home):
    """Return the AWS variables of a case, with which both languages run."""
    always = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "HOME": str(home),
    }
    own = always | case.get("environment", {})
    return {name: text for name, text in own.items() if text != "<unset>"}


def known_in(aws, home):
    """Return what the places of a case are filled with in this run."""
    return {
        "<url>": aws.url,
        "<port>": str(aws.port),
        "<home>": str(home),
        "<config>": str(home / "config"),
        "<credentials>": str(home / "credentials"),
    }
