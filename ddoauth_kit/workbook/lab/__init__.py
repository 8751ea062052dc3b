"""The lab: one registration on one site, real or in a sandbox."""
