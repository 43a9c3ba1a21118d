"""A lab of hosts for the tests: a real sshd on loopback for each, and a proxy that fails as networks do."""
