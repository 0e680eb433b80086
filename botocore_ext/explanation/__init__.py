"""Why a session finds the credentials that it finds, or none: ``botocore_ext.explain``."""
