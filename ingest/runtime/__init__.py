"""The running service: builds every part, starts and stops them, watches over itself and looks after what it keeps."""
