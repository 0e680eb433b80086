"""Every fault at every step of every provider, with its outcome, which a test compares.

``steps`` has how each provider comes to the step, ``catalogue`` what may go wrong there,
``expected`` the outcomes and their tables, and ``running`` tries them.
"""
