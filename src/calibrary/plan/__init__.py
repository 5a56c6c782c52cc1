"""Plan: the manifest becomes groups, matches and names, each with its reason."""
