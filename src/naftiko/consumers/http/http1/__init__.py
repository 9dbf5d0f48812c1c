"""An HTTP/1.1 client over asyncio and llhttp (RFC 9112), with as little between as it takes."""
