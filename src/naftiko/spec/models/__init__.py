"""The specification as frozen pydantic models: one module a chapter, shape only, no behaviour."""
