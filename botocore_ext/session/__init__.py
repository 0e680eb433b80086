"""Sessions of boto3 and botocore: ``install``, the credential resolver, and ``Session``."""
