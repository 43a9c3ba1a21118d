"""What runs in a peer's own environment: scripts of which each does one work and prints the seconds it took.

`python SCRIPT VARIANT COUNT`, in a folder on the disk to work in, where `graph.json` says for each of COUNT jobs which
others it comes after. The last line printed is a JSON object: the `seconds` of the work, or those of each of its
figures. A script stops with an error if anything is not as it should be at the end.

Peers are not installed where the project is checked, so scripts import them by name, when they are run.
"""
