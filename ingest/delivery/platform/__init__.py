"""The provincial platform: alarms, warnings and readings over HTTPS, encrypted with SM4, fields by a mapping file."""
