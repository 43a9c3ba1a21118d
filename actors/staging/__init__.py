"""Files that go along with a job to another machine, and come back: whole or not at all.

`moving` is what a target asks for; `inward` and `outward` move many files, `sending` and `fetching` one; `remotefiles`
is the seam behind which `sftp` speaks to a machine; `localtree`, `landing` and `walking` keep to their folders.
"""
