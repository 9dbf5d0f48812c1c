"""Diagnostics for readers: one module a format. To add one, write `render(...)` and name it in `cli.validate`."""
