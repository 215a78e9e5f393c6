"""Plans -> SQL text; the only package that writes SQL."""
