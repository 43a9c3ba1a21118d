"""Flows as users write them, in TOML, JSON Lines or options, to specifications; `flowfile` maps the rest."""
