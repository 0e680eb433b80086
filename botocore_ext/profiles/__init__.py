"""How a session finds its credentials: botocore's resolver, profiles, roles, names of links."""
