"""When keys are fetched, kept and fetched anew."""
