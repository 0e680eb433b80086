"""A pytest plugin for botocore's tests: call ``install()`` if required, and record each outcome.

It is loaded as a module of its own, because there ``tests`` is botocore's package. Without
``install()`` nothing of this package is loaded.
"""

import json
import os
from importlib import import_module
from pathlib import Path

import botocore
import pytest

INSTALL, OUTCOMES = "BOTOCORE_EXT_INSTALL", "BOTOCORE_EXT_OUTCOMES"


class Outcomes:
    """The outcome of each test, and the number of sessions and of our resolvers."""

    def __init__(self):
        self.outcomes, self.sessions, self.resolvers, self.package = {}, 0, 0, None
        botocore.register_initializer(self.count_session)

    def install(self):
        """Begin to be in force; botocore's tests make sessions when they are imported, too."""
        self.package = import_module("botocore_ext")
        self.resolver = import_module("botocore_ext.providers.insertion")
        self.insert, self.resolver.insert = self.resolver.insert, self.count_resolver
        self.package.install()

    def count_session(self, _session):
        self.sessions += 1

    def count_resolver(self, *arguments, **keywords):
        """Stand in for ``insert``, which puts our providers into a session's resolver."""
        self.resolvers += 1
        return self.insert(*arguments, **keywords)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        """Install again for each test, whatever the one before it has done."""
        if self.package is not None:
            self.package.uninstall()
            self.package.install()

    def pytest_runtest_logreport(self, report):
        """Keep the worst of a test's three phases; a skip is one, too."""
        if self.outcomes.get(report.nodeid, "passed") == "passed":
            self.outcomes[report.nodeid] = report.outcome

    def pytest_collectreport(self, report):
        """A file that cannot be imported has no tests, and must be seen all the same."""
        if report.failed:
            self.outcomes[f"{report.nodeid} (collection)"] = "failed"

    def pytest_sessionfinish(self):
        seen = {
            "outcomes": self.outcomes,
            "sessions": self.sessions,
            "resolvers": self.resolvers,
        }
        Path(os.environ[OUTCOMES]).write_text(json.dumps(seen), encoding="utf-8")


def pytest_configure(config):
    """Begin before botocore's tests are collected."""
    outcomes = Outcomes()
    if os.environ[INSTALL] == "1":
        outcomes.install()
    config.pluginmanager.register(outcomes, "outcomes")
