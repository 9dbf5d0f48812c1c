"""A document as a typed capability: published spellings, models, checks, and the specification to the letter."""
