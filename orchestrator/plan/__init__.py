"""Pure: layout, names, sidecars, collisions, operations, plan file. No rclone, disk, clock or environment in here."""
