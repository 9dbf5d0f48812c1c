"""Carries out the calls of a plan, for every adapter."""
