"""Pure: listings, tags and options in, a plan out. No rclone, disk, clock or environment in here."""
