"""The command line.

main        the entrance: errors become sentences and exit codes      arguments   what can be typed, and its help
commands/   one module for each command                               flows/      flow files and job options
running/    what `run` does while it runs                             explaining/ why a job is where it is
reading/    jobs, events and output as they are read                  checks/     what `doctor` looks at
screen/     what a terminal is shown
"""
