"""Why a job is where it is, in words: what `explain` says, and the words for events that `log` shares."""
