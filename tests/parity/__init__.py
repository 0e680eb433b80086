"""Replays the cases of ``tests/cases`` through the npm package, and compares what comes of it.

A case that names a ``provider`` has a counterpart in JavaScript. ``recorded.json`` holds what came
of each there; ``tests/test_parity.py`` compares that with what comes of it here, and allows a
difference only where ``differences.toml`` has it, with its reason.

Only recording takes Node.js and the package, in a folder beside the repository::

    mkdir ../javascript && cp tests/parity/package*.json ../javascript
    npm ci --prefix ../javascript
    python -m tests.parity record ../javascript [NAME]

With ``PARITY_JAVASCRIPT=../javascript`` the tests see to it that the record is still true.
"""
