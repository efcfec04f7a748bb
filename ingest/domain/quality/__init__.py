"""Quality, pure: flags of readings, corrected times of gateways, and which frames are back-fill."""
