"""Stand-ins for real upstreams, so that a capability can be tried with no account and no network."""
