"""What it means that a command of Slurm's said this: above all whether `sbatch` has certainly done nothing.

Since 17.11 a controller that answers a submission with an error has no job of it that could run (it may keep a record
that it FAILED): such texts are a clear no. Texts that the client finds for itself after it has sent something are not:
it timed out, or lost the link, and the controller may have taken the job. What isn't known here is never a no.

The texts are those of slurm_errno.c and sbatch.c, and what 22.05 was seen to print.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from .reasons import limit_of
from .site import Finished

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
USAGE: Final = 255
_SHOWN_CHARACTERS: Final = 300


class Taken(Struct, frozen=True):
    """Slurm has it, as the job of this id."""

    id: str


class NotNow(Struct, frozen=True):
    """Slurm certainly does not have it, for a reason that passes."""

    sentence: str


class Refused(Struct, frozen=True):
    """Slurm certainly does not have it, and won't take it as it is."""

    sentence: str


class Unsure(Struct, frozen=True):
    """Slurm may have it: it must be looked up. `spoken`: its controller did answer, in words that aren't known."""

    sentence: str
    spoken: bool = False


Verdict = Taken | NotNow | Refused | Unsure

_ID: Final = re.compile(r"([1-9][0-9]{0,9})(?:;[A-Za-z0-9_.-]+)?")
_FAILED: Final = re.compile(r"Batch job submission failed:(.*)")
_LIMIT: Final = re.compile(r"\b((?:QOS|Assoc)(?:Max|Grp|Min)\w+|Max\w+PerAccount)\b")

# After one of these, whatever else was said, the submission may have gone through.
_MAYBE: Final = (
    *("timed out", "Zero Bytes were transmitted", "receive failure", "send failure", "shutdown failure"),
    *("Unexpected message received", "Insane message length", "Incompatible versions", "Connection reset"),
    *("Munge decode failed", "Header lengths are longer", "Unspecified error", "decode failed"),
)

# No for now: what the controller, or the way to it, lacks.
_PASSING: Final[Mapping[str, str]] = {
    "Access denied to requested reservation": "its reservation is not open to this user just now",
    "I/O error writing script/environment to file": "the controller can't write down what it takes, as on a full disk",
    "In standby mode": "its backup controller waits for the other one",
    "Controller is in standby mode, try a different controller": "its backup controller waits for the other one",
    "Slurm backup controller in standby mode": "its backup controller waits for the other one",
    "Licenses currently unavailable": "licences are not to be had just now",
    "MaxJobCount limit reached": "the cluster has as many jobs as it can keep (MaxJobCount)",
    "Rate limit exceeded, please retry later": "the controller was asked too often by this user",
    "Rate limit exceeded, please retry momentarily": "the controller was asked too often by this user",
    "Required node not available (down, drained or reserved)": "a node that it needs is down, drained or reserved",
    "Required partition not available (inactive or drain)": "its partition takes no jobs just now",
    "Partition in DOWN state": "its partition is down",
    "Requested account has breached requested QOS usage threshold": "its account has used too much for its QOS",
    "Requested nodes are busy": "all nodes are busy",
    "Requested operation is presently disabled": "those who run the cluster have closed it for now",
    "Requested reservation is in use": "its reservation is in use",
    "Requested reservation not usable now": "its reservation has not begun, or is over",
    "Resource temporarily unavailable": "the cluster has as many jobs as it can keep (MaxJobCount)",
    "Slurm job queue full": "the cluster has as many jobs as it can keep (MaxJobCount)",
    "System submissions disabled": "those who run the cluster have closed it for now",
    "Unable to connect to database": "its accounting can't be reached",
    "Unable to contact slurm controller (connect failure)": "its controller can't be reached",
}

_TARGET: Final = "the job's `sbatch.{0}`, or `{0}` of the target"
# No for ever, and what to change.
_FINAL: Final[Mapping[str, str]] = {
    "Unspecified error": "the cluster's own rules for jobs refuse it",  # those of a job_submit plugin
    "Access/permission denied": "the cluster does not let this user submit; ask those who run it",
    "CPU count specification invalid": "it can't have so many cpus; see its `needs.cpus`",
    "Duplicate generic resource (gres) specification": "it asks for a generic resource twice; see its `sbatch.gres`",
    "Invalid Trackable RESource (TRES) specification": "the cluster lacks what it asks for; see its `needs`",
    "Invalid account or account/partition combination specified": "its account is not known, or not for this user and "
    "partition; see " + _TARGET.format("account"),
    "Invalid feature specification": "no node has these features; see its `sbatch.constraint`",
    "Invalid generic resource (gres) specification": "the cluster has no such generic resources; see its `needs.gpus` "
    "and `sbatch.gres`",
    "Invalid group id": "the cluster does not know this user's group; ask those who run it",
    "Invalid job array specification": "its array is larger than the cluster's MaxArraySize",
    "Invalid license specification": "the cluster has no such licence; every name among its `needs` that isn't cpus, "
    "memory, gpus, nodes or tasks is one",
    "Invalid mcs_label specified": "its label is not allowed; see its `sbatch.mcs-label`",
    "Invalid node name specified": "the cluster has no such node; see its `sbatch.nodelist` and `sbatch.exclude`",
    "Invalid or unknown association": "this user has no account there; see " + _TARGET.format("account"),
    "Invalid partition name specified": "there is no such partition; see " + _TARGET.format("partition"),
    "Invalid qos specification": "there is no such QOS, or it is not for this user; see its `sbatch.qos`",
    "Invalid time specified": "its time is not valid; see its `sbatch.begin` and `sbatch.deadline`",
    "Invalid user id": "the cluster does not know this user; ask those who run it",
    "Invalid wckey specification": "there is no such wckey; see its `sbatch.wckey`",
    "Job dependency problem": "what it depends on is not known there any more",
    "Job size specification needs to be provided": "the cluster wants to be told its size; give its `needs`",
    "Memory required by task is not available": "no node has so much memory; see its `needs.memory`",
    "More processors requested than permitted": "it asks for more cpus than are allowed; see its `needs.cpus`",
    "No partition specified or system default partition": "the cluster has no default partition; give "
    + _TARGET.format("partition"),
    "Node count specification invalid": "its partition doesn't give so many nodes; see its `needs.nodes`",
    "Pathname of a file, directory or other parameter too long": "its script, or something in it, is too long for the "
    "cluster (max_script_size); shorten its arguments and environment, or let it read them from a file",
    "Requested node configuration is not available": "no node can ever give what it asks for; lower its `needs`",
    "Requested nodes not in this partition": "these nodes aren't in its partition; see its `sbatch.nodelist`",
    "Requested operation not supported on this system": "the cluster does not support something that it asks for",
    "Requested partition configuration not available now": "its partition doesn't give what it asks for; lower its "
    "`needs` or `timeout`, or give another partition",
    "Requested reservation is invalid": "there is no such reservation; see its `sbatch.reservation`",
    "Requested time limit is invalid (missing or exceeds some limit)": "its partition or account doesn't give so much "
    "time, or wants to be told how much; see its `timeout`",
    "Task count specification invalid": "it can't have so many tasks; see its `needs.tasks`",
    "Time limit specification required, but not provided": "the cluster wants to be told how long it may run; give its "
    "`timeout`",
    "User's group not permitted to use this partition": "its partition is not for this user; see "
    + _TARGET.format("partition"),
}
_POLICY: Final = "Job violates accounting/QOS policy"

# What sbatch finds by itself, before it speaks to a controller.
_BEFORE: Final = re.compile(
    r"unrecognized option|option requires an argument|doesn't allow an argument|is ambiguous|unrecognized --|"
    r"[Ii]nvalid (?:--\S+|\S+) specification|Invalid numeric value|Invalid time specification|mutually exclusive|"
    r"does not look like a batch script|Batch script contains|Batch script is empty|Unable to open file|"
    r"Invalid directive found in batch script|Invalid generic resource \(gres\) specification"
)
_UNCONFIGURED: Final = re.compile(r"Could not establish a configuration source|Unable to process configuration file")
_CREDENTIAL: Final = re.compile(r"Munge encode failed|auth_g_create|authentication plugin init")

# With one of these beside it an answer is none, whatever the exit code.
_HOLLOW: Final = re.compile(
    r"[Ii]nvalid user|slurm_load_\w+ error|Unable to contact|timed out|failure\)|Munge|uthentication|Problem talking"
)


def judge_sbatch(finished: Finished) -> Verdict:
    """What sbatch's end means for the job that was given to it. Sentences go on after `the cluster: `."""
    said = finished.stderr.decode(errors="replace")
    if finished.exit_code == 0:
        lines = [line.strip() for line in finished.stdout.decode(errors="replace").splitlines() if line.strip()]
        match = _ID.fullmatch(lines[-1]) if lines else None
        if match is None:
            return Unsure(f"sbatch ended well, and yet did not print the job's id{_quoted(' '.join(lines))}")
        return Taken(match[1])
    if finished.exit_code < 0:
        return Unsure(f"sbatch was ended by signal {-finished.exit_code}")
    if finished.exit_code in {NOT_FOUND, NOT_EXECUTABLE} and "sbatch: error" not in said:
        return NotNow(f"sbatch can't be run there; it must be in a folder of the login's PATH{_quoted(said)}")
    if any(each in said for each in _MAYBE):
        return Unsure(f"sbatch got no clear answer of the controller{_quoted(said)}")
    failed = _FAILED.findall(said)
    return _answered(failed[-1].strip(), said) if failed else _before(finished.exit_code, said)


def _answered(text: str, said: str) -> Verdict:
    """What the controller's error means."""
    if text in _PASSING:
        return NotNow(f"{_PASSING[text]} ({text})")
    if text in _FINAL:
        return Refused(f"{_FINAL[text]} ({_more(text, said)})")
    if text.startswith(_POLICY):
        return _by_policy(said)
    if "uthentication" in text and _CREDENTIAL.search(said):
        return NotNow(f"the login node can't prove who this user is: its munge does not answer{_quoted(said)}")
    return Unsure(f"sbatch failed in a way that is not known{_quoted(said)}", spoken=True)


def _by_policy(said: str) -> Verdict:
    """Limits of accounts and QOS: of how many jobs may be there, which passes, or of what one may ask for."""
    named = _LIMIT.search(said)
    if named is None:
        return NotNow("a limit of its account or QOS is reached: of jobs there, or of what one job may ask for")
    sentence = f"{limit_of(named[1]) or 'a limit of its account or QOS is reached'} ({named[1]})"
    return NotNow(sentence) if "Submit" in named[1] or "Jobs" in named[1] else Refused(sentence)


def _before(exit_code: int, said: str) -> Verdict:
    """What it means that sbatch failed without saying that it had submitted."""
    if _UNCONFIGURED.search(said):
        return NotNow(f"Slurm's commands don't find its configuration there{_quoted(said)}")
    if _CREDENTIAL.search(said):
        return NotNow(f"the login node can't prove who this user is: its munge does not answer{_quoted(said)}")
    if exit_code == USAGE or _BEFORE.search(said):
        known = next(
            (sentence for text, sentence in _FINAL.items() if text in said), "sbatch does not take its options"
        )
        return Refused(f"{known}{_quoted(said)}")
    return Unsure(f"sbatch failed in a way that is not known{_quoted(said)}")


def _more(text: str, said: str) -> str:
    """The error, with what sbatch said before of the same thing, such as the partition's name."""
    lines = [line.partition("error: ")[2].strip() for line in said.splitlines() if "error: " in line]
    before = [line for line in lines if line and not line.startswith("Batch job submission failed")]
    return f"{text}: {before[-1]}"[:_SHOWN_CHARACTERS] if before else text


def judge(finished: Finished) -> str | None:
    """Why a question to Slurm was not answered, in words; None if it was.

    Exit code 0 is not enough: of a user whom its machine can't look up just now, squeue says so, prints no jobs, and
    ends with 0. Other complaints beside an answer, as of a line in the configuration, are no concern of ours.
    """
    said = finished.stderr.decode(errors="replace")
    if finished.exit_code == 0 and _HOLLOW.search(said) is None:
        return None
    if finished.exit_code < 0:
        return f"the command was ended by signal {-finished.exit_code}"
    if "timed out" in said:
        return f"the controller did not answer in time{_quoted(said)}"
    if "connect failure" in said:
        return f"the controller can't be reached{_quoted(said)}"
    if _CREDENTIAL.search(said):
        return f"the login node can't prove who this user is: its munge does not answer{_quoted(said)}"
    return f"it ended with exit code {finished.exit_code}{_quoted(said)}"


def _quoted(said: str) -> str:
    """What was said, on one line and no longer than a sentence bears, in brackets."""
    line = " ".join("".join(each if each.isprintable() else " " for each in said).split())
    if len(line) > _SHOWN_CHARACTERS:
        line = f"{line[:_SHOWN_CHARACTERS]}..."
    return f" ({line})" if line else ""
