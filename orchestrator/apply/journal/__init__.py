"""The journal: what every run intends, has verified and has done, durable before the next step."""
