"""A directory that ``botocore-ext run`` puts on PYTHONPATH."""
