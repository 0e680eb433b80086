"""How fast the package is, compared with plain botocore; writes ``docs/performance.md``."""
