"""Reports the end of a job elsewhere: messages, health checks, and the file for Prometheus. No failure of it ends anything."""
