"""Storages that wrap another one: retries, rate limit."""
