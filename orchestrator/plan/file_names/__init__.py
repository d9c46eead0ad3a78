"""Names as tags: what the names of files and folders tell where tags are missing, by patterns that the user chooses."""
