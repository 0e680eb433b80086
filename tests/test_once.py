"""What ``tests/once.py`` does once for all sessions has the result of plain botocore."""

import json
import subprocess
import sys

import boto3
import pytest

import botocore_ext

from . import once


def names_of(node, path=""):
    """Return the handlers below a node of botocore's tree, in order, as ``event name``."""
    values = [one for group in node["values"] or () for one in group]
    found = [f"{path} {getattr(one, '__qualname__', type(one))}" for one in values]
    for part, child in sorted(node["children"].items()):
        found += names_of(child, f"{path}.{part}")
    return found


def mine(**_):
    """Be registered."""


def handlers():
    """Return the handlers of sessions and clients, before and after some have others."""
    botocore_ext.install()
    first = boto3.Session("AKIA", "secret", region_name="eu-west-1")
    client = first.client("s3")
    first.events.register("before-call.s3", mine)
    client.meta.events.register_first("before-send", mine)
    client.meta.events.register("before-sign.s3.GetObject", mine, unique_id="one")
    other = first.client("s3")
    other.meta.events.unregister("before-call.s3", mine)
    every = [first.events, client.meta.events, other.meta.events]
    every += [one.events for one in (first, boto3.Session())]
    every.append(boto3.Session("AKIA", "secret", region_name="eu-west-1").client("sqs").meta.events)
    return [names_of(one._emitter._handlers._root) for one in every]


def plain_and_shared():
    """Return the handlers in plain botocore, and then as tests have them."""
    plain = handlers()
    with pytest.MonkeyPatch.context() as patch:
        once.register_handlers(patch)
        once.share_handlers(patch)
        return plain, handlers()


SCRIPT = "import json, tests.test_once as it; print(json.dumps(it.plain_and_shared()))"


def test_handlers_are_those_of_plain_botocore():
    """In a process of its own: here moto, for example, may have added handlers."""
    child = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True)
    plain, shared = json.loads(child.stdout)
    assert shared == plain
    assert len({json.dumps(one) for one in plain}) > 3
