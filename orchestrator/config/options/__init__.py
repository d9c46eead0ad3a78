"""The options of every command, declared once, for the command line, the steps of jobs, the JSON schema and the docs."""
