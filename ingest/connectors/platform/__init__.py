"""The provincial platform: alarms and readings over HTTPS, enciphered with SM4, field names from a mapping file."""
