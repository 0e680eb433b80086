"""What threads, processes and callables must not do to each other."""
