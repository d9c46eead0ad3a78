"""What `doctor` checks, a module for each part of the set-up. Each check yields its findings, and raises what stops it."""
