"""Identity: whose a touchpoint is, as sentences. Pure: nothing here needs an engine."""
