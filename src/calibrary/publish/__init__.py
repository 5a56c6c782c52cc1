"""Into the library: a judged candidate, or masters that exist already."""
