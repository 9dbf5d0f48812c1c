"""Sockets, the server on them, and the connections of clients."""
