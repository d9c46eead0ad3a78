"""Storage on anything that rclone supports."""
