"""Where variables come from, once a plan is opened (semantics, section 8)."""
