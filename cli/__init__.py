"""The command line and the flow files.

    flowfile    flows from TOML, JSON Lines and standard input; its docstring maps the modules behind it
"""
