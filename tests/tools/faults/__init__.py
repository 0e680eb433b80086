"""Every fault at every step of every provider: what comes of it, written down and held.

``steps`` says how each provider comes to the step, ``catalogue`` what may go wrong there,
``expected`` what is to come of it, ``running`` does it, and ``page`` prints the table.
"""
