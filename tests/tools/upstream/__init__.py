"""botocore's own tests, run without and with ``install()`` (see ``__main__``)."""
