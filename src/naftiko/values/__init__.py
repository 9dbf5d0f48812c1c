"""What is read once and evaluated often: text, JSON, paths, templates, and the types of values."""
