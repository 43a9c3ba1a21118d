"""One module for each command of the command line, with its `execute`; `arguments` says which is which."""
