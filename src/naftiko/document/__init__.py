"""Text to a tree that knows the place of everything in it."""
