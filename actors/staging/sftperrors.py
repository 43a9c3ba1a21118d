"""What a server for files says when it can't, in words, with the host and the path."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import asyncssh

from .remotefiles import StagingFailed, StagingInterrupted, shown_path

MISSING: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_LINK: Final = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


@contextmanager
def told(path: str, host: str) -> Generator[None]:
    """Errors as StagingInterrupted where the link broke, and as StagingFailed where the server refused."""
    place = f"{shown_path(path)} on {host}"
    try:
        yield
    except _LINK as error:
        raise interrupted(host, error) from error
    except MISSING as error:
        raise StagingFailed(f"there is no {place}, which was there before; retry the job") from error
    except asyncssh.SFTPPermissionDenied as error:
        message = f"the user there may not use {place}; change its permissions or take another place"
        raise StagingFailed(message) from error
    except (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded) as error:
        raise no_room(path, host) from error
    except asyncssh.SFTPOpUnsupported as error:
        message = f"the server of {host} lacks what safe staging needs ({error}); use OpenSSH's sftp-server there"
        raise StagingFailed(message) from error
    except asyncssh.SFTPError as error:
        message = f"{place} can't be used: {error}; look there whether something else stands in its place"
        raise StagingFailed(message) from error
    except (asyncssh.Error, OSError, ValueError) as error:  # the last: an answer that can't be taken apart
        raise interrupted(host, error) from error


def interrupted(host: str, error: Exception) -> StagingInterrupted:
    """The error for a link that broke."""
    message = f"the link to {host} broke while files were moved ({error}); it goes on there when the link is back"
    return StagingInterrupted(message)


def no_room(path: str, host: str) -> StagingFailed:
    """The error for a disk that is full."""
    return StagingFailed(
        f"there is no room for {shown_path(path)} on {host}: the disk or your quota is full; make room"
    )
