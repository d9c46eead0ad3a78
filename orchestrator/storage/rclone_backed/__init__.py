"""The storage on anything that rclone speaks."""
