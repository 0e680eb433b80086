"""The options of providers: their declaration, their types, and where their values come from."""
