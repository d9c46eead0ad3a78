"""The config file: its typed model, how it is read, checked and edited."""
