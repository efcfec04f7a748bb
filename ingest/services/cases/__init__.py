"""Use cases of the closed loop, called by REST and console: scope, audit trail and transaction are here."""
