"""The providers, one file for each kind of source."""
