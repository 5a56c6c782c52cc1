"""Why a frame or a group is where it is, in words."""
