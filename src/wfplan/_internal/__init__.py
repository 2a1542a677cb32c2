"""What the package is built on; not imported from outside."""
