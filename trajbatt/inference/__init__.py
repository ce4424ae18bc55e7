"""What the light says of the battery that emits it."""
