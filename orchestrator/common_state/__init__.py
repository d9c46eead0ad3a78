"""The last state that two places had in common: what `sync` compares each side with."""
