"""The gate: every stage, how long it took and kept processors busy, and pytest's summary.

It works on a copy in a temporary directory, which is removed at the end. With two cores or more,
three stages run at a time: tests wait a third of their time. The two longest have a worker for
each core, so that no core is idle at the end, and the others have half as many.
A stage that prints nothing for ``SILENT`` seconds hangs: its processes show all stacks and are
killed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

ROOT = Path(__file__).resolve().parent.parent
#: Seconds without a word after which a stage hangs; a single test has less, see ``LIMITED``.
SILENT = 150
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
#: Not copied: what is made from the sources.
_MADE = re.compile(r"^(\.git|\.venv.*|\..*_cache|\.hypothesis|\.coverage.*|__pycache__|_build)$")
#: A test that takes longer than two minutes hangs: all threads are shown and the run ends.
LIMITED = [
    *("-o", "faulthandler_timeout=120"),
    *("-o", "faulthandler_exit_on_timeout=true"),
    "--max-worker-restart=0",
]
#: How many workers pytest-xdist has, where the command does not say.
WORKERS = "PYTEST_XDIST_AUTO_NUM_WORKERS"
#: What differs by interpreter: threads, forks, contexts, annotations, and each provider once.
BY_INTERPRETER = [
    "tests/contract",
    "tests/runtime",
    "tests/test_cases.py",
    "tests/refresh/test_refresh.py",
    "tests/session/test_hook.py",
    "tests/session/test_use_credentials.py",
]
#: What differs by botocore or by interpreter, for the oldest of both: not documentation and tools.
BY_BOTOCORE = [
    *("tests/aws", "tests/commands", "tests/contract", "tests/explanation", "tests/options"),
    *("tests/profiles", "tests/providers", "tests/refresh", "tests/runtime", "tests/session"),
    *("tests/test_botocore_seams.py", "tests/test_cases.py", "tests/test_integrations.py"),
    "tests/test_secrets.py",
]
#: What reaches no line of the package that other tests do not reach: not measured a second time.
NOT_MEASURED = [
    "tests/session/test_inert.py",
    "tests/test_architecture.py",
    "tests/test_botocore_seams.py",
    "tests/test_conformance.py",
    "tests/test_messages.py",
    "tests/test_secrets.py",
]
#: Libraries with threads of Rust: one has ended a process by SIGSEGV long after its test, so they
#: have a process of their own, and a short one.
WITH_RUST = "polars or obstore"
#: Programs with a botocore of their own and, before 1.46, without.
AWS_CLIS = {"aws-newest": ["awscli"], "aws-older": ["awscli==1.45.64", "boto3==1.43.64"]}
#: Variables that say where npm packages are -> the folder of tests/tools that lists them.
NPM_PACKAGES = {"PARITY_JAVASCRIPT": "parity", "BOTOCORE_EXT_OIDC_PROVIDER": "oidc_provider"}


class FailedError(Exception):
    """A stage has failed; the text is what it printed."""


@dataclass
class Stage:
    """What is done, once what it needs is done; it may return a remark."""

    name: str
    work: Callable[[], str | None]
    needs: tuple[str, ...] = ()


@dataclass
class Gate:
    """The stages and what they share."""

    work: Path
    cores: int
    began: float = field(default_factory=time.monotonic)
    #: Version -> interpreter.
    interpreters: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    #: What is not here and so is not tried.
    absent: list[str] = field(default_factory=list)
    #: The processes that run, and whether they are to end.
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    ends: threading.Event = field(default_factory=threading.Event)
    #: The program that makes environments quickly; None where pip must do.
    uv: Path | None = None
    #: What this thread does: the seconds of processor time that it has used.
    stage: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.clone, self.empty, self.dist = (self.work / one for one in ("clone", "empty", "dist"))
        self.logs = self.work / "logs"
        for one in (self.empty, self.logs):
            one.mkdir()
        dropped = ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH")
        self.environ = {name: text for name, text in os.environ.items() if name not in dropped}
        self.environ |= {
            "PIP_NO_INPUT": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_PROGRESS_BAR": "off",
            # Python compiles where it is needed.
            "PIP_COMPILE": "0",
            "UV_NO_PROGRESS": "1",
            "UV_SYSTEM_CERTS": "1",
            "UV_NATIVE_TLS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            # As pip does: indexes are equal.
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            WORKERS: str(max(1, self.cores // 2)),
            # A hang is seen by silence, and shown by the signal that ends it.
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
        }
        #: What a stage that takes longest has in addition.
        self.long = {WORKERS: str(self.cores)}
        if not os.access(Path.home(), os.W_OK):
            self.environ |= {"UV_CACHE_DIR": str(self.work / "uv"), "PIP_NO_CACHE_DIR": "1"}

    # Processes.

    def run(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        environ: dict[str, str] | None = None,
    ) -> str:
        """Run a command in a process group of its own, and return what it prints."""
        log = self.logs / f"{time.monotonic_ns()}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [str(one) for one in command],
                cwd=cwd or self.clone,
                env=self.environ | (environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.add(process)
        try:
            hangs = self._watch(process, log)
        finally:
            self.running.discard(process)
        text = log.read_text(encoding="utf-8", errors="replace")
        shown = " ".join(map(str, command))
        if hangs:
            raise FailedError(f"{text}\n{shown}\nprinted nothing for {SILENT} s: see its stacks")
        if process.returncode:
            raise FailedError(f"{text}\n{shown}\nended with status {process.returncode}")
        return text

    def _watch(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        """Wait for a process, and end it where it hangs; say whether it did."""
        size, since, hangs = 0, time.monotonic(), False
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                self.stage.busy += usage.ru_utime + usage.ru_stime
                return hangs
            silent = time.monotonic() - since
            if self.ends.is_set() or silent > SILENT + 10:
                _kill(process, signal.SIGKILL)
            elif not hangs and log.stat().st_size != size:
                size, since = log.stat().st_size, time.monotonic()
            elif not hangs and silent > SILENT:
                hangs = True
                _kill(process, signal.SIGABRT)  # faulthandler shows all threads
            time.sleep(0.1)

    # Environments.

    def python(self, name: str) -> Path:
        """Return the interpreter of an environment."""
        return self.work / name / "bin" / "python"

    def install(self, name: str, *what: str) -> None:
        """Install into an environment."""
        if self.uv is not None:
            self.run(self.uv, "pip", "install", "--python", self.python(name), *what)
        else:
            tools = self.python("tools")
            self.run(tools, "-m", "pip", "--python", self.python(name), "install", *what)

    def environment(self, name: str, version: str, *what: str) -> Path:
        """Make an environment, install into it, and return its interpreter."""
        python = self.interpreters[version]
        self.run(python, "-m", "venv", "--without-pip", self.work / name)
        self.install(name, *what)
        return self.python(name)

    def tools(self) -> str:
        """Make the environment of the tools, with uv if it can be had and works here."""
        self.run(self.interpreters[self.default], "-m", "venv", self.work / "tools")
        self.run(self.python("tools"), "-m", "pip", "install", "--upgrade", "pip")
        what = ("-e", ".[lint,docs]", "build")
        uv = self.work / "tools" / "bin" / "uv"
        try:
            self.run(self.python("tools"), "-m", "pip", "install", "uv")
            self.environ |= self._uv_options()
            self.uv = uv
            self.install("tools", *what)
        except FailedError:
            self.uv = None
            self.install("tools", *what)
        return "with uv" if self.uv else "with pip"

    def _uv_options(self) -> dict[str, str]:
        """Tell uv where pip looks for packages."""
        names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX"}
        names["find-links"] = "UV_FIND_LINKS"
        found = {}
        for line in self.run(self.python("tools"), "-m", "pip", "config", "list").splitlines():
            name, _, value = line.partition("=")
            places = [
                one
                for one in value.strip("'\"").replace("\\n", " ").split()
                if "://" in one or Path(one).is_dir()
            ]
            places = [one for one in places if _is_there(one)]
            if places and (variable := names.get(name.rpartition(".")[2])):
                found[variable] = (" " if variable == "UV_INDEX" else ",").join(places)
        return found

    # Stages.

    def lint(self) -> None:
        """Run what reads the sources."""
        programs = self.work / "tools" / "bin"
        self.run(programs / "ruff", "check", ".")
        self.run(programs / "ruff", "format", "--check", ".")
        self.run(programs / "mypy")
        self.run(programs / "basedpyright", "--pythonpath", self.python("tools"))

    def documentation(self) -> str:
        """Build it without a warning, and see that nothing is wider than the screen."""
        sphinx = self.work / "tools" / "bin" / "sphinx-build"
        self.run(sphinx, "-W", "--keep-going", "-n", "-q", "docs", self.work / "html")
        measure = (self.python("tools"), "-m", "tests.tools.widths", self.work / "html")
        remark = self.run(*measure).strip().splitlines()[-1]
        if remark == "absent":
            self.absent.append("Chromium")
        return remark

    def build(self) -> None:
        """Build wheel and source distribution, and look into both."""
        tools = self.python("tools")
        self.run(tools, "-m", "build", "--outdir", self.dist, ".")
        twine = self.work / "tools" / "bin" / "twine"
        self.run(twine, "--no-color", "check", "--strict", *self.dist.iterdir())
        self.run(tools, "-m", "tests.tools.distribution", self.dist)

    def wheel(self, extra: str = "") -> str:
        """Return the wheel as a requirement."""
        (path,) = self.dist.glob("*.whl")
        return f"botocore-ext{extra} @ {path.as_uri()}"

    def from_the_wheel(self) -> None:
        """Use the wheel alone, and run the demonstration in an empty directory."""
        alone = self.environment("alone", self.floor, self.wheel())
        works = (
            "import boto3, botocore_ext; botocore_ext.install(); boto3.Session().get_credentials()"
        )
        options = {"AWS_EC2_METADATA_DISABLED": "true"}
        self.run(alone, "-W", "error", "-c", works, cwd=self.empty, environ=options)
        demo = self.environment("wheel", self.default, self.wheel("[demo]"))
        self.run(demo, "-m", "botocore_ext", "demo", cwd=self.empty)
        left = [*self.empty.iterdir()]
        if left:
            raise FailedError(f"The demonstration left something behind: {left}")

    def aws_cli(self) -> str:
        """Run real programs with the plugin."""
        for name, what in AWS_CLIS.items():
            self.environment(name, self.default, self.wheel(), *what)
        programs = [str(self.work / name / "bin" / "aws") for name in AWS_CLIS]
        named = {"BOTOCORE_EXT_AWS": os.pathsep.join(programs)}
        tests = ("tests/commands/test_awscli.py", "tests/commands/test_exec.py")
        return self.pytest("tools", *tests, "-k", "awscli or aws_cli", environ=named)

    def javascript(self) -> str:
        """Check that the record of one npm package is still true, and use another as it is."""
        folders = {name: self.work / folder for name, folder in NPM_PACKAGES.items()}
        try:
            for folder in folders.values():
                shutil.copytree(self.clone / "tests" / "tools" / folder.name, folder)
                self.run("npm", "ci", "--no-audit", "--no-fund", "--prefix", folder, cwd=folder)
        except (FailedError, FileNotFoundError):
            self.absent.append("JavaScript (there is no npm, or it cannot install packages)")
            return "absent"
        parity = folders["PARITY_JAVASCRIPT"]
        self.run(self.python("tools"), "-m", "tests.tools.parity", "check", parity)
        tests = [f"tests/{one}.py" for one in ("commands/test_exec", "commands/test_export")]
        tests += ["tests/options/test_oidc_provider.py"]
        environ = {name: str(folder) for name, folder in folders.items()}
        return self.pytest("tools", *tests, "-k", "javascript or oidc_provider", environ=environ)

    def conformance(self) -> str:
        """Replay the vectors of other SDKs, where a variable says where they are."""
        command = (self.python("tools"), "-m", "tests.tools.conformance")
        remark = self.run(*command).strip().splitlines()[-1]
        if remark.startswith("skipped"):
            self.absent.append("the vectors of other SDKs")
        return remark

    def benchmarks(self) -> None:
        """See that they run; they measure elsewhere."""
        self.run(self.python("tools"), "-m", "tests.tools.benchmarks", "--quick")

    def with_parts(self, version: str) -> str:
        """Measure coverage where aiobotocore is, and what users have next to this package."""
        name = f"{version}-parts"
        try:
            self.environment(name, version, ".[test,aio,parts]")
        except FailedError:
            self.absent.append("the packages of the extra 'parts'")
            self.install(name, ".[test,aio]")
        try:
            # It pins an aiobotocore whose botocore is too old for us.
            self.install(name, "--no-deps", "aioboto3", "aiofiles")
        except FailedError:
            self.absent.append("aioboto3")
        self.pytest(name, "-n0", "-k", WITH_RUST)
        options = ["--cov", "--cov-report=term-missing", "--cov-fail-under=100"]
        options += [f"--ignore={one}" for one in NOT_MEASURED]
        options += ["-m", "not proof", "-k", f"not ({WITH_RUST})"]
        return self.pytest(name, *options, environ=self.long)

    def on(self, version: str) -> str:
        """Test what an interpreter can make a difference to."""
        self.environment(version, version, ".[test]")
        return self.pytest(version, "-m", "not proof", *BY_INTERPRETER)

    def with_floor(self) -> str:
        """Test with the oldest botocore what it can make a difference to."""
        self.environment("floor", self.floor, ".[test]", "botocore==1.41.*", "boto3==1.41.*")
        return self.pytest("floor", "-m", "not proof", *BY_BOTOCORE)

    def pytest(self, name: str, *arguments: str, environ: dict[str, str] | None = None) -> str:
        """Run tests in an environment, and return the summary and the seed of their order."""
        command = (self.python(name), "-m", "pytest", "-q", "-p", "no:cacheprovider")
        options = _options()
        text = self.run(*command, *options, *arguments, environ=environ)
        return f"{text.strip().splitlines()[-1]} {options[-1]}"

    def readme(self) -> Iterator[str]:
        """Give the commands of the README: what is documented is what runs."""
        text = (self.clone / "README.md").read_text(encoding="utf-8")
        commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if len(commands) != 2:
            raise FailedError("README.md must have two commands, each in a block of its own.")
        yield from commands

    def first_command(self, command: str) -> None:
        """Run the demonstration as documented."""
        self.run("bash", "-c", command)

    def second_command(self, command: str) -> str:
        """Run all tests as documented, with more examples and in more rounds."""
        options = _options()
        environ = {"PYTEST_ADDOPTS": " ".join(options), "BOTOCORE_EXT_TESTS": "gate"}
        self.summary = self.run("bash", "-c", command, environ=self.long | environ)
        return f"{self.summary.strip().splitlines()[-1].strip('= ')} {options[-1]}"

    def stages(self) -> list[Stage]:
        """Return all, those first that take longest."""
        first, second = self.readme()
        others = [one for one in self.interpreters if one != self.default]
        newest = max(self.interpreters, key=VERSIONS.index)
        return [
            Stage("README, first command", partial(self.first_command, first)),
            Stage("tools", self.tools),
            Stage(
                f"README, second command: all tests on {self.default}",
                partial(self.second_command, second),
                ("README, first command",),
            ),
            Stage(
                f"coverage, with aiobotocore and other packages, on {newest}",
                partial(self.with_parts, newest),
                ("tools",),
            ),
            Stage("ruff, mypy, basedpyright", self.lint, ("tools",)),
            Stage(f"botocore 1.41 on {self.floor}", self.with_floor, ("tools",)),
            Stage("source distribution and wheel", self.build, ("tools",)),
            Stage("JavaScript", self.javascript, ("tools",)),
            *(
                Stage(f"Python {one}", partial(self.on, one), ("tools",))
                for one in others
                if one not in (self.floor, newest)
            ),
            Stage("AWS CLI", self.aws_cli, ("source distribution and wheel",)),
            Stage("documentation", self.documentation, ("tools",)),
            Stage(
                "wheel and demonstration", self.from_the_wheel, ("source distribution and wheel",)
            ),
            Stage("vectors of other SDKs", self.conformance, ("tools",)),
            Stage("benchmarks", self.benchmarks, ("tools",)),
        ]

    # The whole.

    def find_interpreters(self) -> None:
        """Find all versions on PATH or from pyenv, and choose which does what."""
        versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        for version in VERSIONS:
            on_path = shutil.which(f"python{version}")
            every: list[str | Path | None] = [on_path, shutil.which("python3")]
            every += sorted(versions.glob(f"{version}.*/bin/python"))
            for one in every:
                if one is not None and _version(one) == version:
                    self.interpreters[version] = str(one)
                    break
            else:
                self.absent.append(f"Python {version}")
        self.default = _version("python3") or ""
        if self.default not in self.interpreters:
            self.default = max(self.interpreters, key=VERSIONS.index)
            # The commands of the README say python3.
            programs = self.work / "bin"
            programs.mkdir()
            (programs / "python3").symlink_to(self.interpreters[self.default])
            self.environ["PATH"] = f"{programs}{os.pathsep}{self.environ['PATH']}"
        others = [one for one in self.interpreters if one != self.default]
        #: The interpreter for the oldest botocore.
        self.floor = others[0] if others else self.default

    def copy(self) -> None:
        """Copy what is here, committed or not, but not what was made from it."""

        def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
            return None if any(map(_MADE.match, Path(member.name).parts)) else member

        archive = self.work / "clone.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(ROOT, "clone", filter=chosen)
        with tarfile.open(archive) as tar:
            tar.extractall(self.work, filter="data")
        archive.unlink()

    def do(self, stage: Stage) -> None:
        """Do one stage and say how long it took."""
        start, self.stage.busy = time.monotonic(), 0.0
        try:
            remark = stage.work()
        except FailedError as error:
            if not self.ends.is_set():
                self.ends.set()
                say(f"{error}\n\nFAILED: {stage.name}")
            raise
        now = time.monotonic()
        suffix = f": {remark}" if remark else ""
        times = f"{now - self.began:5.0f} s  {now - start:4.0f} s  {self.stage.busy:4.0f} s"
        say(f"{times}  {stage.name}{suffix}")

    def go(self) -> int:
        """Run all stages, some at a time, and return the exit status."""
        self.find_interpreters()
        say("".join(f"{version}  {path}\n" for version, path in self.interpreters.items()), end="")
        say(f"python3 is {self.default}; botocore 1.41 is tested with {self.floor}")
        self.copy()
        waiting = self.stages()
        done: set[str] = set()
        say("  at    took    busy  stage")
        at_a_time = min(3, self.cores + 1)
        with ThreadPoolExecutor(at_a_time) as pool:
            tasks: dict[Future[None], Stage] = {}
            while waiting or tasks:
                ready = [one for one in waiting if done.issuperset(one.needs)]
                for stage in ready[: at_a_time - len(tasks)]:
                    waiting.remove(stage)
                    tasks[pool.submit(self.do, stage)] = stage
                for task in wait(tasks, return_when=FIRST_COMPLETED).done:
                    stage = tasks.pop(task)
                    if task.exception() is not None:
                        waiting = []
                        if not isinstance(task.exception(), FailedError):
                            self.ends.set()
                            task.result()
                    done.add(stage.name)
        if self.ends.is_set():
            return 1
        say(f"{time.monotonic() - self.began:5.0f} s  in all")
        if self.absent:
            say(f"Not here, and so not tried: {', '.join(self.absent)}")
        say(self.summary.rstrip())
        return 0


def say(text: str, end: str = "\n") -> None:
    """Print at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _options() -> list[str]:
    """Return the options of a test run, the last of which repeats its order."""
    return [*LIMITED, f"--randomly-seed={secrets.randbelow(2**32)}"]


def _kill(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and its children."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _version(python: str | Path) -> str | None:
    """Return the version of an interpreter that runs and can make environments."""
    code = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    with suppress(OSError):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        return done.stdout.strip() or None
    return None


def _is_there(place: str) -> bool:
    return not place.startswith("file://") or Path(place.removeprefix("file://")).is_dir()


def main() -> int:
    """Go through the gate."""
    with tempfile.TemporaryDirectory(prefix="gate-", ignore_cleanup_errors=True) as work:
        gate = Gate(Path(work), os.cpu_count() or 1)

        def cancel(*_: object) -> None:
            """End what was started."""
            gate.ends.set()
            sys.exit(1)

        signal.signal(signal.SIGTERM, cancel)
        signal.signal(signal.SIGINT, cancel)
        try:
            return gate.go()
        finally:
            gate.ends.set()
            for process in list(gate.running):
                _kill(process, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
