"""The planner of `organize`: two listings and their tags in, a plan out. Pure."""
