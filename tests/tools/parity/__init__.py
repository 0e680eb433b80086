"""Records what the npm package makes of the cases of ``tests/cases``.

Only recording takes Node.js and the package, in a folder next to the repository::

    mkdir ../javascript && cp tests/tools/parity/package*.json ../javascript
    npm ci --prefix ../javascript
    python -m tests.tools.parity record ../javascript [NAME]

``python -m tests.tools.parity check ../javascript`` checks that the record is still true.
"""
