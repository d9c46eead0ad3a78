"""click: parse, call, print. One file a command group."""
