"""The cases of ``tests/cases`` that have a counterpart in JavaScript, with their outcomes there.

A case that names a ``provider`` has one. ``recorded.json`` holds what came of each in JavaScript
(``tests/tools/parity`` records it); ``tests/test_parity.py`` compares that with what comes of it
here, and allows a difference only where ``differences.toml`` has it, with its reason.
"""
