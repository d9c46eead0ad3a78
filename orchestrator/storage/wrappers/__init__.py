"""Storages that wrap another one: retry, rate limit."""
