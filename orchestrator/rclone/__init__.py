"""The only room that knows rclone: its binary, its processes, its rc protocol, its errors, and what its remotes can do."""
