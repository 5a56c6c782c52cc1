"""The one class of errors that a user can mend."""


class CalibraryError(Exception):
    """A problem the user can mend; its text is one line that names the file and the remedy."""
