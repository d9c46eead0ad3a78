"""The options of every command, declared once: the command line, the steps of a job, the JSON schema and the docs follow them."""
