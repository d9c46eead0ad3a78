"""The journal: what every run is about to do, has verified and has done, durable before the next step."""
