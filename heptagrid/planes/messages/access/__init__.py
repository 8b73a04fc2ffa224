"""Methods of access to a link or to a shared medium, one file each: how the members of a medium share it."""
