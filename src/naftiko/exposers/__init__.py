"""Adapters: each an ASGI application over the engine.

To add one: a folder with a factory `(AdapterPlan, Engine, Observer) -> ASGI app`, and its name in
`naftiko.runtime.generation`.
"""
