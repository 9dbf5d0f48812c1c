"""What people write today for the same job: each is one uvicorn process with uvloop, given a port and an upstream."""
