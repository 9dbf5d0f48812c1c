"""HTTP upstreams: the request, its authentication, the exchange. Foreign errors are translated in `transport`."""
