"""What every part stands on: typed events, threads, the pace of cycles, the version; imports nothing else of ours."""
