"""The world in which programs are measured: an installed package, profiles, and a service."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from compileall import compile_dir
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import certificates
from . import server
from .programs import ROLE, Times, clocked

ROOT = Path(__file__).parent.parent.parent.parent
#: Seconds that credentials live, and so few that botocore refreshes them at each use.
LIFETIME, DUE = 3600, 500
#: The authority of AWS's endpoints whose place in the bundle the service's own takes.
_AUTHORITY = "Amazon Root CA 1"


@dataclass(frozen=True)
class World:
    """Where programs run, and how often."""

    #: In it: ``site`` with the package and the programs, a web token, and the AWS files.
    home: Path
    service: server.Service
    #: 1 for figures; a small fraction to see only that everything runs.
    effort: float = 1
    #: The interpreter that has aiobotocore.
    aio: str = sys.executable
    environ: dict[str, str] = field(default_factory=dict)

    def times(self, full: int) -> int:
        """Return how often to do what a whole run does ``full`` times."""
        return max(1, round(full * self.effort))

    def child(
        self,
        program: str,
        *arguments: Any,
        scheme: str = "http",
        python: str = sys.executable,
        **environ: str,
    ) -> Any:
        """Run a function of ``programs`` in a new interpreter and return what it returns."""
        command = [python, "-m", "benchmarks.programs", program, json.dumps(arguments)]
        return json.loads(self._run(command, scheme, environ))

    def clocked(self, script: str) -> Times:
        """Return how long a program takes from start to exit, over TLS."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = clocked(lambda: self._run([sys.executable, script], "tls", {})).wall
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Times(wall, cpu)

    def _run(self, command: list[str], scheme: str, environ: dict[str, str]) -> bytes:
        # The current directory of ``-m`` is on sys.path: there it is the site, not the sources.
        site, url = self.home / "site", self.service.urls[scheme]
        environ = self.environ | {"AWS_ENDPOINT_URL": url} | environ
        return subprocess.run(
            command, cwd=site, env=environ, stdout=subprocess.PIPE, check=True
        ).stdout

    def config(self, *, profiles: int = 0, roles: int = 0) -> str:
        """Write a config file with so many more profiles, and roles in a chain; return its path.

        ``plain`` is a web identity of botocore's, ``ours`` of this package; ``plain-2`` is the
        second role of a chain that begins with ``plain``.
        """
        token = self.home / "token"
        role = f"region = us-east-1\nrole_arn = {ROLE}\nrole_session_name = me\n"
        parts = [
            f"[profile plain]\n{role}web_identity_token_file = {token}\n",
            f"[profile ours]\n{role}web_identity_token = file://{token}\n",
            "[profile static]\naws_access_key_id = A\naws_secret_access_key = s\n",
            f"aws_session_token = {server.TOKEN}\n",
            f"[profile role]\n{role}source_profile = static\n",
            *(f"[profile other-{n}]\nregion = us-east-1\noutput = json\n" for n in range(profiles)),
        ]
        for source in ("plain", "ours"):
            name = source
            for number in range(1, roles + 1):
                parts.append(f"[profile {source}-{number}]\n{role}source_profile = {name}\n")
                name = f"{source}-{number}"
        path = self.home / f"config-{profiles}-{roles}"
        path.write_text("".join(parts))
        return str(path)


@contextmanager
def world(effort: float, aio: str):
    """Give a world in which no setting of the user counts."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        authority, chain = certificates.write(home, "localhost", _AUTHORITY)
        (home / "token").write_text("token-" + "x" * 1000)
        _install(home / "site")
        _write_bundle(home / "site", authority)
        with server.running(chain) as service:
            there = World(home, service, effort, aio, _environ(home))
            there.environ["AWS_CONFIG_FILE"] = there.config()
            yield there


def _install(site: Path) -> None:
    """Copy the package and the programs where they are compiled, as an installer does."""
    for source in (ROOT / "botocore_ext", Path(__file__).parent):
        shutil.copytree(source, site / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    compile_dir(site, quiet=1)


def _write_bundle(site: Path, authority: Path) -> None:
    """Make ``authority`` one of Amazon's in the bundle that botocore reads by default."""
    import botocore  # noqa: PLC0415 - only for its path

    theirs = (Path(botocore.__file__).parent / "cacert.pem").read_text(encoding="utf-8")
    label = f'# Label: "{_AUTHORITY}"'
    before, found, after = theirs.partition(label)
    assert found
    _, _, others = after.partition("-----END CERTIFICATE-----\n")
    bundle = site / "bundle.pem"
    bundle.write_text(f"{before}{label}\n{authority.read_text()}{others}", encoding="utf-8")
    # botocore prefers the bundle of certifi to its own.
    (site / "certifi.py").write_text(f"def where():\n    return {str(bundle)!r}\n")


def _environ(home: Path) -> dict[str, str]:
    dropped = ("AWS_", "PYTHON")  # PYTHONDONTWRITEBYTECODE is one
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(dropped) and not name.lower().endswith(("_proxy", "_ca_bundle"))
    }
    return kept | {
        "HOME": str(home),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
