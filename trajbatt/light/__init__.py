"""Records of clicks: made, checked, detected."""
