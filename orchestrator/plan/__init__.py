"""Pure: layout, names, sidecars, collisions, operations: no rclone, disk, clock or environment in here.

The one exception is `plan_file`, which writes and reads the file of a plan.
"""
