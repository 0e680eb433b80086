"""Replays the cases of ``tests/cases`` through the npm package, and compares what comes of it.

A case that names a ``provider`` has a counterpart in JavaScript. ``recorded.json`` holds what came
of each there; ``tests/test_parity.py`` compares that with what comes of it here, and allows a
difference only where ``differences.toml`` has it. To record again, with Node.js::

    cd tests/parity && npm ci --prefix /somewhere/else && cd ../..
    python -m tests.parity record /somewhere/else
"""
