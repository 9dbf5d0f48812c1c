"""Clients of the APIs a capability consumes."""
