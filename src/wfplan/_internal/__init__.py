"""What the package is built on; nobody imports it from outside."""
