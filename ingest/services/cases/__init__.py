"""What people do with cases, in the API's words: REST and console both go through here, so scope and audit are one."""
