"""Metrics and traces of calls, steps and upstreams. Nothing of it is in the way of a call where it is off."""
