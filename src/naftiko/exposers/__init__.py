"""Adapters: each an ASGI application over the engine.

`naftiko.adapters` names each, with what compiles it.
"""
