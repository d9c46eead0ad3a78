"""The frames, blocks and pages that sound is stored in: their headers and checksums."""
