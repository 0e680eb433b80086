"""Where keys, tokens and ids lie, and who issues them."""
