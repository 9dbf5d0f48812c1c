"""One capability opened: its settings, variables, upstreams, and the stand-ins for them."""
