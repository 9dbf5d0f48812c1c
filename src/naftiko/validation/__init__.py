"""Checking many files, and printing what was found."""
