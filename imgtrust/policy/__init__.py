"""Is that enough: policies as values, and the verdict. Pure."""
