"""What starts jobs: writes units for systemd, lines for cron and lists for launchd, and knows its own files again."""
