"""How work runs: in a context, within a deadline, once for all threads, in a process."""
