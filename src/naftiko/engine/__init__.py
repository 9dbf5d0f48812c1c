"""Carries a plan out: one call at a time, whoever asks for it."""
