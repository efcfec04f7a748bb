"""The provincial platform: alarms, warnings, readings over HTTPS, enciphered with SM4, fields from a mapping file."""
