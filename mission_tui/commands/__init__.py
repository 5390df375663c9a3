"""One module a command: `add` puts it on the command line; it loads what it needs when it runs."""
