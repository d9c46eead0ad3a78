"""How one operation is carried out safely: look, decide, send, verify, delete the source, record the verdict."""
