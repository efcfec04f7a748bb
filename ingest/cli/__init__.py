"""Commands of `yujing` that look after the journal and its quarantine, while the service runs or stands."""
