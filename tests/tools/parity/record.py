"""The record: what came of each case in JavaScript."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.parity import cases, said

HERE = Path(__file__).parent
FILE = cases.FOLDER.parent / "parity" / "recorded.json"
PACKAGE = "@aws-sdk/credential-providers"
VERSION = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"][PACKAGE]
#: Names the folder in which the npm package is installed.
VARIABLE = "PARITY_JAVASCRIPT"
#: At a time; most of them wait.
PROCESSES = 4


def recorded():
    """Return what came of each case, by name."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    assert content["version"] == VERSION, "recorded with another version: record again"
    return content["cases"]


def reason_not_selected(folder):
    """Return why JavaScript cannot run here; empty where it can."""
    if not folder:
        return f"{VARIABLE} does not name a folder in which {PACKAGE} is installed"
    if shutil.which("node") is None:
        return "there is no node on PATH"
    manifest = Path(folder, "node_modules", PACKAGE, "package.json")
    if not manifest.is_file():
        return f"{folder} has no {PACKAGE}"
    found = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    return "" if found == VERSION else f"{folder} has {PACKAGE} {found}, not {VERSION}"


def replay(name, case, node):
    """Run a case in a node, and return what came of it."""
    aws = cases.SteadyAws()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        known = cases.known_in(aws, home)
        case = cases.filled(case, known)
        cases.write_files(case, home)
        cases.script(case, aws)
        environment = {"PATH": os.environ["PATH"], **cases.environment(case, home)}
        described = {"case": case, "environment": environment, "port": aws.port}
        try:
            node.stdin.write(f"{json.dumps(described)}\n")
            node.stdin.flush()
            line = node.stdout.readline()
            assert line, f"{name}: node has ended, or took a minute"
            return said.result(json.loads(line), aws.requests, known)
        finally:
            aws.close()


def replays(chosen, folder):
    """Run cases, some at a time, and name each that is done."""

    def run(names):
        command = ["node", str(HERE / "replay.cjs"), str(folder)]
        found, pipe = {}, subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as node:
            for name in names:
                found[name] = replay(name, chosen[name], node)
                sys.stdout.write(f"{name}\n")
        return found

    parts = [list(chosen)[first::PROCESSES] for first in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return {name: told for found in pool.map(run, parts) for name, told in found.items()}


def check(folder):
    """Return the cases of which the record is not what JavaScript does, a line for each."""
    old, now = recorded(), replays(cases.replayed(), folder)
    changed = [
        name for name in now if said.without_texts(now[name]) != said.without_texts(old[name])
    ]
    return "".join(f"not as recorded: {name}\n" for name in changed)


def write(found):
    """Write the record: sorted, a line for each part of a case."""
    parts = []
    for name, told in sorted(found.items()):
        lines = [f"   {json.dumps(part)}: [{_lines(content)}]" for part, content in told.items()]
        parts.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    text = ",\n".join(parts)
    FILE.write_text(
        f'{{\n "version": {json.dumps(VERSION)},\n "cases": {{\n{text}\n }}\n}}\n',
        encoding="utf-8",
    )


def _lines(content):
    return ",".join(f"\n    {json.dumps(one)}" for one in content) + ("\n   " if content else "")


def main(arguments):
    """Record all cases, or those whose name contains NAME; or check the record."""
    is_check = arguments[:1] == ["check"] and len(arguments) == 2
    if not is_check and (len(arguments) not in (2, 3) or arguments[0] != "record"):
        return "usage: python -m tests.tools.parity {record FOLDER [NAME] | check FOLDER}"
    folder = arguments[1]
    problem = reason_not_selected(folder)
    if problem:
        return problem
    if is_check:
        return check(folder) or 0
    every = cases.replayed()
    chosen = {name: case for name, case in every.items() if "".join(arguments[2:]) in name}
    old = recorded() if len(chosen) < len(every) else {}
    kept = {name: told for name, told in old.items() if name in every}
    write(kept | replays(chosen, folder))
    return 0
