"""Sessions of boto3 and botocore: installing, resolving, and a session of one provider."""
