"""How services and endpoints are called."""
