"""The only room that knows rclone: binary, daemon, rc client, profiles."""
