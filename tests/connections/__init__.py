"""How remote hosts are reached: the relay, the connections, the files that are staged."""
